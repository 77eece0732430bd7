package docs

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// Text renders the little Markdown that the reference is written in: headings,
// paragraphs, lists with "- ", tables, fenced code, links. A paragraph is filled
// to width, a table fits into it, code stays as it is.
func Text(markdown string, width int) string {
	var b strings.Builder
	for i, block := range Blocks(markdown) {
		if i > 0 {
			b.WriteString("\n")
		}
		switch first := block[0]; {
		case strings.HasPrefix(first, "```"):
			for _, line := range block[1 : len(block)-1] {
				b.WriteString(strings.TrimRight("    "+line, " ") + "\n")
			}
		case strings.HasPrefix(first, "#"):
			b.WriteString(strings.ToUpper(strings.TrimLeft(first, "# ")) + "\n")
		case strings.HasPrefix(first, "|"):
			table(&b, Rows(block), width)
		case strings.HasPrefix(first, "- "):
			list(&b, block, width)
		default:
			for _, line := range wrap(Plain(strings.Join(block, " ")), width) {
				b.WriteString(line + "\n")
			}
		}
	}
	return b.String()
}

// Blocks are the paragraphs, lists, tables, headings and fenced code of a text,
// each as its lines.
func Blocks(markdown string) [][]string {
	var blocks [][]string
	var block []string
	fenced := false
	flush := func() {
		if len(block) > 0 {
			blocks, block = append(blocks, block), nil
		}
	}
	for line := range strings.Lines(markdown) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			if !fenced {
				flush()
			}
			block = append(block, line)
			if fenced {
				flush()
			}
			fenced = !fenced
		case fenced:
			block = append(block, line)
		case line == "", strings.HasPrefix(line, "<!--"):
			flush()
		default:
			block = append(block, line)
		}
	}
	flush()
	return blocks
}

// Rows are the cells of a table, without the line below its head.
func Rows(block []string) [][]string {
	var rows [][]string
	for i, line := range block {
		if i == 1 {
			continue
		}
		line = strings.TrimSuffix(strings.TrimPrefix(strings.ReplaceAll(line, `\|`, "\x00"), "|"), "|")
		var cells []string
		for cell := range strings.SplitSeq(line, "|") {
			cells = append(cells, strings.ReplaceAll(strings.TrimSpace(cell), "\x00", "|"))
		}
		rows = append(rows, cells)
	}
	return rows
}

// links is compiled when it is first needed: most commands need no help.
var links = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\[([^\]]+)\]\(([^)]+)\)`) })

// Plain is a line without the marks that only a browser understands. Code keeps
// its back quotes.
func Plain(s string) string { return strings.ReplaceAll(Unlink(s), "**", "") }

// Unlink is a line with the words of its links alone, and their address if that
// is of use outside of the documentation.
func Unlink(s string) string {
	return links().ReplaceAllStringFunc(s, func(link string) string {
		m := links().FindStringSubmatch(link)
		if strings.HasPrefix(m[2], "http") && m[1] != m[2] {
			return m[1] + " (" + m[2] + ")"
		}
		return m[1]
	})
}

func list(b *strings.Builder, block []string, width int) {
	var items []string
	for _, line := range block {
		if text, ok := strings.CutPrefix(line, "- "); ok {
			items = append(items, text)
		} else {
			items[len(items)-1] += " " + strings.TrimSpace(line)
		}
	}
	for _, item := range items {
		lead := "- "
		for _, line := range wrap(Plain(item), width-2) {
			b.WriteString(lead + line + "\n")
			lead = "  "
		}
	}
}

// table draws rows in columns: as wide as they need to be if that fits, else the
// widest is narrowed until it does.
func table(b *strings.Builder, rows [][]string, width int) {
	if rows[0][len(rows[0])-1] == "" {
		rows = rows[1:] // a head that says little
	}
	const gap = 2
	widths, least := make([]int, len(rows[0])), make([]int, len(rows[0]))
	total := -gap
	for _, row := range rows {
		for i, cell := range row {
			row[i] = strings.ReplaceAll(Plain(cell), "`", "")
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
			for word := range strings.FieldsSeq(row[i]) {
				least[i] = max(least[i], utf8.RuneCountInString(word))
			}
		}
	}
	for _, w := range widths {
		total += w + gap
	}
	for ; total > width; total-- {
		widest := -1
		for i, w := range widths {
			if w > least[i] && (widest < 0 || w >= widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	for _, row := range rows {
		cells, height := make([][]string, len(row)), 1
		for i, cell := range row {
			cells[i] = wrap(cell, widths[i])
			height = max(height, len(cells[i]))
		}
		for n := range height {
			line := ""
			for i, cell := range cells {
				text := ""
				if n < len(cell) {
					text = cell[n]
				}
				line += text + strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(text))+gap)
			}
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
}

// wrap fills lines with the words of a text. A word that is too long for a line
// has one of its own.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	return append(lines, line)
}
