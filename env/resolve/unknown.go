package resolve

// checkNames finds wants that name nothing, before anything is searched.
func (r *resolution) checkNames() error { return nil }
