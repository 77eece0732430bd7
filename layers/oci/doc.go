// Package oci writes environments as OCI images: one image layer for each
// package layer, then the set-up layer, so that two images share what two
// environments share.
//
// [Export] is its one function. It follows the OCI image specification (image
// layout, and layer changesets with their whiteouts); blobs and manifests are
// umoci's. The layout is made aside and renamed: what has its final name is
// whole.
package oci
