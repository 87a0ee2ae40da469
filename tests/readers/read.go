// Reads events into the types that a generator made, and writes them back, a line each.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var event Event
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			panic(err)
		}
		written, err := json.Marshal(&event)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(written))
	}
}
