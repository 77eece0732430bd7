// A package with an assembly file may declare functions without a body: here,
// those of fork.go that the runtime has.
