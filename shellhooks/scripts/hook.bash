__devenv_export() {
	eval "$(@SELF@ _export bash)"
}
