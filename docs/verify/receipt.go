package main

import (
	"bytes"
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
func checkReceipt(receipt, entry string, key note.Verifier) (tlog.Tree, error) {
	var tree tlog.Tree
	data, err := fetch(filepath.Dir(receipt), filepath.Base(receipt), largestReceipt)
	if err != nil {
		return tree, err
	}
	body, err := fetch(filepath.Dir(entry), filepath.Base(entry), largestEntry)
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
	index, proof, err := inclusion(strings.Split(string(data[:end]), "\n"))
	if err != nil {
		return tree, err
	}
	if index >= tree.N {
		return tree, fmt.Errorf("there is no entry %d in a log of %d entries", index, tree.N)
	}
	return tree, tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(body))
}

// inclusion reads the lines of a receipt above its checkpoint. What it has of extra data is passed over: nobody signed it.
func inclusion(lines []string) (int64, tlog.RecordProof, error) {
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return 0, nil, errors.New("it is not a receipt of version 1")
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		if _, err := base64.StdEncoding.Strict().DecodeString(lines[0][len("extra "):]); err != nil {
			return 0, nil, errors.New("its extra data is not base64")
		}
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return 0, nil, errors.New("it does not say which entry it is of")
	}
	number := lines[0][len("index "):]
	index, err := strconv.ParseInt(number, 10, 64)
	if err != nil || index < 0 || strconv.FormatInt(index, 10) != number {
		return 0, nil, fmt.Errorf("%q is no number of an entry", number)
	}
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil || hash.String() != line {
			return 0, nil, fmt.Errorf("%q is no hash", line)
		}
		proof = append(proof, hash)
	}
	return index, proof, nil
}
