function __devenv_export
    @SELF@ _export fish | source
end
