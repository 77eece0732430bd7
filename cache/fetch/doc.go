// Package fetch brings one file from where it is published (an http or https
// URL, a file:// URL or a plain path) to one file on disk.
//
// [Client] is the main type. [Client.Get] is for files that never change and are
// mostly known by their SHA-256; [Client.Conditional] for files that are published
// anew under the same name; [Client.Bytes], [Client.Range] and [Client.Head] for
// small questions. All take several URLs, mirrors of one file, and try them in order.
//
// # Promises
//
//   - A destination appears by one rename, after its size and hash were found
//     right and its bytes are on disk. What is wrong is never renamed and never kept.
//   - A transfer that was cut short, by the network or by kill -9, goes on
//     where it stopped: DEST.part holds the bytes and DEST.part.json what
//     tells whether the server still has the same file (RFC 9110, If-Range).
//     The part's bytes are hashed again before anything is added to them.
//   - Any number of processes may ask for one destination at once: one
//     transfers, under a lock that dies with it; the others wait and find the result.
//   - Never more bytes are written than the size allows.
//   - Network errors, 408, 429 and 5xx are tried again, with exponential pauses
//     and jitter, or when the server says (Retry-After). 404 goes on to the next mirror at once.
//   - A server that answers nothing within the stall time counts as failed; one that
//     failed is asked last from then on.
//
// Errors are [NotFoundError], [UnreachableError], [CorruptError], [OfflineError] and
// those of package cache; passwords in URLs are never shown. HTTP follows RFC 9110;
// proxies come from the environment as net/http has it.
//
// A Client is safe for concurrent use.
package fetch
