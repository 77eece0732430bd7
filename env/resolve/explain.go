package resolve

func (c *Conflict) Error() string { return "conflict" }

func (r *resolution) conflict(blame []fact) *Conflict { return &Conflict{} }
