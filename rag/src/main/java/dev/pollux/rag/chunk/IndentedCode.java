package dev.pollux.rag.chunk;

import dev.pollux.internal.text.Lines;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds declarations in Python, whose blocks are indented. <em>Confined to one thread.</em> */
final class IndentedCode {

    private static final Pattern DECLARATION = Pattern.compile("(?:async\\s+)?(def|class)\\s+(\\w+).*", Pattern.DOTALL);
    private static final int TAB = 8;

    /** A declaration whose end is not known yet. */
    private record Open(String kind, String name, int firstLine, int indent, int depth) {}

    private final Lines lines;
    private final List<Declaration> found = new ArrayList<>();
    private final Deque<Open> open = new ArrayDeque<>();
    private String quotes = ""; // of the string that is open
    private int brackets;
    private int lastCode; // line, from 1

    private IndentedCode(Lines lines) {
        this.lines = lines;
    }

    static List<Declaration> declarations(Lines lines) {
        return new IndentedCode(lines).declarations();
    }

    private List<Declaration> declarations() {
        int decorated = 0; // first line of the decorators before the line
        for (int number = 1; number <= lines.count(); number++) {
            String line = lines.line(number - 1);
            String code = line.strip();
            boolean begins = quotes.isEmpty() && brackets == 0;
            scan(line);
            if (code.isEmpty() || begins && code.startsWith("#")) {
                continue;
            }
            if (begins) {
                int indent = indent(line);
                close(indent);
                Matcher declaration = DECLARATION.matcher(code);
                if (code.startsWith("@")) {
                    decorated = decorated == 0 ? number : decorated;
                } else if (declaration.matches()) {
                    String kind = declaration.group(1).equals("def") ? "function" : "class";
                    int first = decorated == 0 ? number : decorated;
                    open.push(new Open(kind, declaration.group(2), first, indent, open.size()));
                    decorated = 0;
                } else {
                    decorated = 0;
                }
            }
            lastCode = number;
        }
        close(0);
        return found;
    }

    private static int indent(String line) {
        int indent = 0;
        for (int i = 0; i < line.length() && Character.isWhitespace(line.charAt(i)); i++) {
            indent += line.charAt(i) == '\t' ? TAB - indent % TAB : 1;
        }
        return indent;
    }

    private void close(int indent) {
        while (!open.isEmpty() && open.peek().indent() >= indent) {
            Open done = open.pop();
            found.add(new Declaration(
                    done.kind(), done.name(), done.firstLine(), Math.max(done.firstLine(), lastCode), done.depth()));
        }
    }

    /** Follows strings and brackets through a line. */
    private void scan(String line) {
        int i = 0;
        while (i < line.length()) {
            char c = line.charAt(i);
            if (!quotes.isEmpty()) {
                if (c == '\\') {
                    i++;
                } else if (line.startsWith(quotes, i)) {
                    i += quotes.length() - 1;
                    quotes = "";
                }
            } else if (c == '#') {
                return;
            } else if (c == '"' || c == '\'') {
                String three = String.valueOf(c).repeat(3);
                quotes = line.startsWith(three, i) ? three : String.valueOf(c);
                i += quotes.length() - 1;
            } else if ("([{".indexOf(c) >= 0) {
                brackets++;
            } else if (")]}".indexOf(c) >= 0) {
                brackets = Math.max(0, brackets - 1);
            }
            i++;
        }
        if (quotes.length() == 1) {
            quotes = ""; // a string of one line
        }
    }
}
