// Package server serves a mirror's directory over HTTP as Arch's own servers
// do: files with ranges, validators and conditional requests, directories as
// nginx's autoindex pages, whose links are escaped as nginx escapes them
// (clients read the archive's versions out of these pages). For tests it can
// be slow and can fail on purpose.
//
// The main type is Handler; it is safe for concurrent use and keeps nothing
// but the counters of its faults.
package server
