package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const largestReceipt = 2_000_000

// checkReceipt checks by a receipt that an entry is in the log, and returns what the log has signed. Both are files.
// Without an entry it is the SHA-256 of the extra data, as in the log of a service that runs Avow.
func checkReceipt(receipt, entry string, key note.Verifier) (tlog.Tree, error) {
	var tree tlog.Tree
	data, err := fetch(filepath.Dir(receipt), filepath.Base(receipt), largestReceipt)
	if err != nil {
		return tree, err
	}
	end := bytes.Index(data, []byte("\n\n"))
	if end < 0 {
		return tree, errors.New("there is no checkpoint in it")
	}
	tree, err = checkpoint(data[end+2:], key)
	if err != nil {
		return tree, fmt.Errorf("checkpoint: %w", err)
	}
	index, proof, extra, err := inclusion(strings.Split(string(data[:end]), "\n"))
	if err != nil {
		return tree, err
	}
	digest := sha256.Sum256(extra)
	body := digest[:]
	if entry != "" {
		if body, err = fetch(filepath.Dir(entry), filepath.Base(entry), largestEntry); err != nil {
			return tree, err
		}
	} else if len(extra) == 0 {
		return tree, errors.New("what the entry stands for is not in it: name a file with -entry")
	}
	if index >= tree.N {
		return tree, fmt.Errorf("there is no entry %d in a log of %d entries", index, tree.N)
	}
	return tree, tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(body))
}

// inclusion reads the lines of a receipt above its checkpoint. Nobody signed the extra data that it may have.
func inclusion(lines []string) (index int64, proof tlog.RecordProof, extra []byte, err error) {
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return 0, nil, nil, errors.New("it is not a receipt of version 1")
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		if extra, err = base64.StdEncoding.Strict().DecodeString(lines[0][len("extra "):]); err != nil {
			return 0, nil, nil, errors.New("its extra data is not base64")
		}
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return 0, nil, nil, errors.New("it does not say which entry it is of")
	}
	number := lines[0][len("index "):]
	index, err = strconv.ParseInt(number, 10, 64)
	if err != nil || index < 0 || strconv.FormatInt(index, 10) != number {
		return 0, nil, nil, fmt.Errorf("%q is no number of an entry", number)
	}
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil || hash.String() != line {
			return 0, nil, nil, fmt.Errorf("%q is no hash", line)
		}
		proof = append(proof, hash)
	}
	return index, proof, extra, nil
}
