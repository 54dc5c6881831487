// Verify checks transparency logs, and receipts of them, with the packages of Go's checksum database alone.
//
//	verify KEY LOG...                       read whole logs
//	verify -before CHECKPOINT KEY LOG...    and see that each begins with the log of an older checkpoint, a file
//	verify -receipt FILE -entry FILE KEY    see that an entry is in the log, without asking it
//	verify -receipt FILE KEY                the same, where the receipt has what the entry, its SHA-256, stands for
//
// KEY is the verifier key of the log (name+id+base64). A LOG is a folder, or a URL that begins with http:// or https://.
// For each log, or for the receipt, it prints one line: `ok` with the size and the root, or `wrong` with the reason. It
// ends with status 0 where all are right, 1 where one is wrong, and 2 where the command is.
//
// What is checked of a log: the signature under the checkpoint (sumdb/note); that each tile leads to the signed root
// (sumdb/tlog); that each entry hashes to what its tile says; that there is nothing else in a bundle.
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height       = 8
	width        = 1 << height
	largestEntry = 1<<16 - 1
	largestNote  = 1_000_000
)

// A server that hangs is not waited for without end.
var client = http.Client{Timeout: time.Minute}

func main() {
	before := flag.String("before", "", "an older checkpoint of the log, a file")
	receipt := flag.String("receipt", "", "a receipt, a file")
	entry := flag.String("entry", "", "the entry that the receipt is of, a file; without it, the SHA-256 of its extra data")
	flag.Parse()
	if flag.NArg() < 1 || (*receipt == "" && *entry != "") || (*receipt == "") != (flag.NArg() > 1) {
		fmt.Fprintln(os.Stderr, "usage: verify [-before CHECKPOINT] KEY LOG... | verify -receipt FILE [-entry FILE] KEY")
		os.Exit(2)
	}
	key, err := note.NewVerifier(flag.Arg(0))
	if err != nil {
		fmt.Fprintf(os.Stderr, "the verifier key is not one: %v\n", err)
		os.Exit(2)
	}
	status := 0
	tell := func(place string, tree tlog.Tree, err error) {
		if err != nil {
			fmt.Printf("wrong %s: %v\n", place, err)
			status = 1
		} else {
			fmt.Printf("ok %s: %d entries, root %s\n", place, tree.N, tree.Hash)
		}
	}
	if *receipt != "" {
		tree, err := checkReceipt(*receipt, *entry, key)
		tell(*receipt, tree, err)
	}
	for _, place := range flag.Args()[1:] {
		tree, err := verify(place, *before, key)
		tell(place, tree, err)
	}
	os.Exit(status)
}

// verify checks the log at one place, and returns what it has signed.
func verify(place, before string, key note.Verifier) (tlog.Tree, error) {
	data, err := fetch(place, "checkpoint", largestNote)
	if err != nil {
		return tlog.Tree{}, err
	}
	tree, err := checkpoint(data, key)
	if err != nil {
		return tree, fmt.Errorf("checkpoint: %w", err)
	}
	hashes := tlog.TileHashReader(tree, &tiles{place: place, held: map[tlog.Tile][]byte{}})
	for first := int64(0); first < tree.N; first += width {
		count := tree.N - first
		if count > width {
			count = width
		}
		if err := bundle(place, first, int(count), hashes); err != nil {
			return tree, err
		}
	}
	if before != "" {
		return tree, grown(before, tree, hashes, key)
	}
	return tree, nil
}

// grown checks that a log begins with the one of an older checkpoint. The hashes are known to be in the log.
func grown(before string, tree tlog.Tree, hashes tlog.HashReader, key note.Verifier) error {
	data, err := fetch(filepath.Dir(before), filepath.Base(before), largestNote)
	if err != nil {
		return err
	}
	old, err := checkpoint(data, key)
	if err != nil {
		return fmt.Errorf("%s: %w", before, err)
	}
	if old.N > tree.N {
		return fmt.Errorf("the log has %d entries, and had %d at the older checkpoint", tree.N, old.N)
	}
	if old.N == 0 {
		return nil // every log begins so
	}
	proof, err := tlog.ProveTree(tree.N, old.N, hashes)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return fmt.Errorf("the first %d entries are not those of the older checkpoint: %w", old.N, err)
	}
	return nil
}

// checkpoint reads what a log says that it holds, if the key has signed it.
func checkpoint(data []byte, key note.Verifier) (tlog.Tree, error) {
	var tree tlog.Tree
	opened, err := note.Open(data, note.VerifierList(key))
	if err != nil {
		return tree, err
	}
	// The note package takes several spellings of one signature.
	for _, signature := range append(opened.Sigs, opened.UnverifiedSigs...) {
		if _, err := base64.StdEncoding.Strict().DecodeString(signature.Base64); err != nil {
			return tree, fmt.Errorf("the signature of %s is not spelled as base64 is", signature.Name)
		}
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != key.Name() {
		return tree, fmt.Errorf("it is not one of the log %s", key.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return tree, fmt.Errorf("%q is no number of entries", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil || root.String() != lines[2] {
		return tree, fmt.Errorf("%q is no root", lines[2])
	}
	if size == 0 && root != sha256.Sum256(nil) {
		return tree, errors.New("no log without entries has this root")
	}
	return tlog.Tree{N: size, Hash: root}, nil
}

// bundle checks the entries from number first on against the hashes in the tiles.
func bundle(place string, first int64, count int, hashes tlog.HashReader) error {
	path := address("entries", first/width, count)
	data, err := either(place, path, address("entries", first/width, width), width*(2+largestEntry))
	if err != nil {
		return err
	}
	indexes := make([]int64, count)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
	}
	expected, err := hashes.ReadHashes(indexes)
	if err != nil {
		return fmt.Errorf("the tiles that lead from %s to the root: %w", path, err)
	}
	rest := data.bytes
	for i, hash := range expected {
		if len(rest) < 2 || len(rest) < 2+int(binary.BigEndian.Uint16(rest)) {
			return fmt.Errorf("%s is cut off in entry %d", path, first+int64(i))
		}
		end := 2 + int(binary.BigEndian.Uint16(rest))
		if tlog.RecordHash(rest[2:end]) != hash {
			return fmt.Errorf("%s: entry %d is not the one that the log has signed", path, first+int64(i))
		}
		rest = rest[end:]
	}
	if len(rest) > 0 && !data.wider {
		return fmt.Errorf("%s: %d bytes follow the last entry", path, len(rest))
	}
	return nil
}

// tiles gives the tiles of a log to package tlog, which checks them and hands back those that are right.
type tiles struct {
	place string
	held  map[tlog.Tile][]byte
}

func (t *tiles) Height() int { return height }

func (t *tiles) SaveTiles(found []tlog.Tile, data [][]byte) {
	for i, tile := range found {
		// The leaves are asked for once; what lies above them again and again.
		if tile.L > 0 || tile.W < width {
			t.held[tile] = data[i]
		}
	}
}

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	all := make([][]byte, len(wanted))
	for i, tile := range wanted {
		if held, ok := t.held[tile]; ok {
			all[i] = held
			continue
		}
		level := strconv.Itoa(tile.L)
		path := address(level, tile.N, tile.W)
		data, err := either(t.place, path, address(level, tile.N, width), width*tlog.HashSize)
		if err != nil {
			return nil, err
		}
		length := tile.W * tlog.HashSize
		if len(data.bytes) < length || len(data.bytes) > length && !data.wider {
			return nil, fmt.Errorf("%s has %d bytes, and should have %d", path, len(data.bytes), length)
		}
		all[i] = data.bytes[:length]
	}
	return all, nil
}

// address is where a tile lies. Package tlog writes the height into it too, and calls the entries data.
func address(level string, number int64, count int) string {
	path := tlog.Tile{H: height, L: 0, N: number, W: count}.Path()
	return "tile/" + level + strings.TrimPrefix(path, fmt.Sprintf("tile/%d/0", height))
}

// found is what was fetched: the tile that was meant, or a wider one that begins with it.
type found struct {
	bytes []byte
	wider bool
}

// either fetches a tile, or the full one in its place: a log may take a partial one away once there is a full one.
func either(place, path, full string, largest int64) (found, error) {
	data, err := fetch(place, path, largest)
	if path != full && errors.Is(err, fs.ErrNotExist) {
		if data, other := fetch(place, full, largest); other == nil {
			return found{data, true}, nil
		}
	}
	return found{data, false}, err
}

// fetch reads one file of the log, which must not be larger than a file of its kind can be.
func fetch(place, path string, largest int64) ([]byte, error) {
	var body io.ReadCloser
	if strings.HasPrefix(place, "http://") || strings.HasPrefix(place, "https://") {
		answer, err := client.Get(strings.TrimSuffix(place, "/") + "/" + path)
		if err != nil {
			return nil, err
		}
		if answer.StatusCode == http.StatusNotFound {
			answer.Body.Close()
			return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
		}
		if answer.StatusCode != http.StatusOK {
			answer.Body.Close()
			return nil, fmt.Errorf("%s: %s", path, answer.Status)
		}
		body = answer.Body
	} else {
		file, err := os.Open(filepath.Join(place, filepath.FromSlash(path)))
		if err != nil {
			return nil, err
		}
		body = file
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, largest+1))
	if err == nil && int64(len(data)) > largest {
		err = fmt.Errorf("%s is larger than any file of its kind", path)
	}
	return data, err
}
