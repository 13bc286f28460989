package dev.pollux.rag.chunk;

import dev.pollux.internal.text.Lines;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds declarations in languages with braces: Java, C, C++, C#, Go, Rust, JavaScript and others. <em>Confined to one thread.</em> */
final class BracedCode {

    /*
     * One pass that knows strings, character literals and comments. The head of a block is the code between the last
     * semicolon or brace and its opening brace. A head with a keyword of a type declares one, a head with a name before
     * parentheses declares a function; every other block is a body. Heads are judged only in files and in types: a function has
     * no members. No grammar is needed for this, and what is not recognized stays part of the declaration around it.
     */

    private static final Pattern TYPE = Pattern.compile(
            "(?:^|[\\s)>])(class|interface|enum|record|struct|trait|object|protocol|"
                    + "extension|impl|namespace|module|union|mod|package)(?:\\s*<[^>]*>)?\\s+(?:class\\s+)?([\\w.:$]+)");
    private static final Pattern GO_TYPE =
            Pattern.compile("^type\\s+(\\w+)(?:\\[[^\\]]*\\])?\\s+(struct|interface)\\b");
    private static final Pattern FUNCTION =
            Pattern.compile("([~\\w$]+)\\s*(?:<[^<>()]*>\\s*)?(?:\\[[^\\[\\]()]*\\]\\s*)?\\(");
    private static final Pattern ARROW = Pattern.compile(
            "(?:const|let|var)\\s+([\\w$]+)\\s*(?::[^=]+)?=\\s*(?:async\\s*)?(?:function\\b|\\(|[\\w$]+\\s*=>)");
    private static final Pattern RECEIVER = Pattern.compile("^(func\\s+)\\([^)]*\\)");
    private static final Pattern ANNOTATION =
            Pattern.compile("@(?!interface\\b)[\\w.]+(?:\\s*\\((?:[^()]|\\([^()]*\\))*\\))?|#!?\\[[^\\]]*\\]");
    private static final Set<String> NO_NAMES = Set.of(
            "if",
            "for",
            "while",
            "switch",
            "catch",
            "return",
            "new",
            "synchronized",
            "try",
            "do",
            "else",
            "foreach",
            "using",
            "lock",
            "when",
            "match",
            "with",
            "assert",
            "throw",
            "super",
            "this",
            "sizeof",
            "typeof",
            "defined",
            "until",
            "unless",
            "fixed");
    private static final Set<String> QUOTES_STRINGS = Set.of("javascript", "typescript", "php");
    private static final Set<String> FUNCTION_WORDS =
            Set.of("go", "rust", "kotlin", "swift", "javascript", "typescript", "php", "c");

    /** A block that is open. */
    private record Block(String kind, String name, int firstLine, boolean members) {}

    private final String text;
    private final String language;
    private final Lines lines;
    private final List<Declaration> found = new ArrayList<>();
    private final Deque<Block> open = new ArrayDeque<>();
    private final StringBuilder head = new StringBuilder(); // without comments and strings
    private int headStart = -1; // with its comment
    private int parentheses;
    private int at;

    private BracedCode(String text, String language, Lines lines) {
        this.text = text;
        this.language = language;
        this.lines = lines;
    }

    static List<Declaration> declarations(String text, String language, Lines lines) {
        BracedCode code = new BracedCode(text, language, lines);
        code.read();
        return code.found;
    }

    private void read() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (text.startsWith("//", at) || c == '#' && isDirective()) {
                begin();
                at = lines.end(lines.at(at));
            } else if (text.startsWith("/*", at)) {
                begin();
                int end = text.indexOf("*/", at + 2);
                at = end < 0 ? text.length() : end + 2;
            } else if (c == '"' || c == '`' || c == '\'') {
                begin();
                literal(c);
                head.append('"');
            } else {
                code(c);
                at++;
            }
        }
        while (!open.isEmpty()) {
            close(lines.count());
        }
    }

    /** A preprocessor line, or a comment of PHP; an attribute of Rust is code. */
    private boolean isDirective() {
        boolean first = text.substring(lines.start(lines.at(at)), at).isBlank();
        return first && !text.startsWith("#[", at) && !text.startsWith("#!", at);
    }

    private void begin() {
        if (headStart < 0) {
            headStart = at;
        }
    }

    private void literal(char quote) {
        if (quote == '"' && text.startsWith("\"\"\"", at)) {
            int end = text.indexOf("\"\"\"", at + 3);
            at = end < 0 ? text.length() : end + 3;
            return;
        }
        boolean string = quote != '\'' || QUOTES_STRINGS.contains(language);
        if (!string) {
            boolean escaped = text.startsWith("'\\", at);
            int end = text.indexOf('\'', at + (escaped ? 3 : 1));
            boolean character = end > 0 && end - at <= (escaped ? 12 : 3);
            at = character ? end + 1 : at + 1; // else a lifetime or a separator of digits
            return;
        }
        at++;
        while (at < text.length() && text.charAt(at) != quote && (quote == '`' || text.charAt(at) != '\n')) {
            at += text.charAt(at) == '\\' && quote != '`' ? 2 : 1;
        }
        at = Math.min(text.length(), at + 1);
    }

    private void code(char c) {
        if (Character.isWhitespace(c)) {
            boolean ends = c == '\n' && endsAtLine();
            if (ends) {
                reset();
            } else if (!head.isEmpty()) {
                head.append(c);
            }
            return;
        }
        begin();
        switch (c) {
            case '(' -> parentheses++;
            case ')' -> parentheses = Math.max(0, parentheses - 1);
            case '{' -> {
                if (parentheses == 0) {
                    open();
                    return;
                }
                open.push(new Block("", "", 0, false));
            }
            case '}' -> {
                close(lines.at(at) + 1);
                if (parentheses == 0) {
                    reset();
                }
                return;
            }
            case ';' -> {
                if (parentheses == 0) {
                    statement();
                    return;
                }
            }
            default -> {
                // part of the head
            }
        }
        head.append(c);
    }

    /** Whether a line break ends a statement: in languages without semicolons, after a line without an open end. */
    private boolean endsAtLine() {
        if (parentheses > 0
                || head.isEmpty()
                || !Set.of("go", "kotlin", "swift", "javascript", "typescript", "scala")
                        .contains(language)) {
            return false;
        }
        String code = head.toString().stripTrailing();
        int next = at;
        while (next < text.length() && Character.isWhitespace(text.charAt(next))) {
            next++;
        }
        boolean opens = next < text.length() && "{.:=?&|".indexOf(text.charAt(next)) >= 0;
        return !opens
                && ",=+-*/&|<:.".indexOf(code.charAt(code.length() - 1)) < 0
                && !ANNOTATION.matcher(code).matches();
    }

    private void reset() {
        head.setLength(0);
        headStart = -1;
    }

    private boolean inMembers() {
        return open.isEmpty() || open.peek().members();
    }

    private String enclosing() {
        for (Block block : open) {
            if (!block.kind().isEmpty()) {
                return block.name();
            }
        }
        return "";
    }

    private int depth() {
        return (int) open.stream().filter(block -> !block.kind().isEmpty()).count();
    }

    private void open() {
        Block block = new Block("", "", 0, false);
        if (inMembers()) {
            String code = ANNOTATION.matcher(head).replaceAll(" ").strip();
            int first = lines.at(Math.max(0, headStart)) + 1;
            Matcher type = TYPE.matcher(beforeBody(code));
            Matcher goType = GO_TYPE.matcher(code);
            if (goType.find()) {
                block = new Block(goType.group(2), goType.group(1), first, false);
            } else if (type.find()) {
                block = new Block(
                        type.group(1), type.group(2), first, !type.group(1).equals("struct") || !language.equals("go"));
            } else {
                String name = function(code);
                if (!name.isEmpty()) {
                    block = new Block(kind(name), name, first, false);
                }
            }
        }
        open.push(block);
        reset();
    }

    /** The head up to its parameters, so that a word in them is no keyword. */
    private static String beforeBody(String code) {
        int parameters = code.indexOf('(');
        return parameters < 0 ? code : code.substring(0, parameters);
    }

    private String function(String code) {
        Matcher arrow = ARROW.matcher(code);
        if (arrow.find()) {
            return arrow.group(1);
        }
        String plain = RECEIVER.matcher(code).replaceFirst("$1");
        Matcher function = FUNCTION.matcher(plain);
        if (!function.find()
                || NO_NAMES.contains(function.group(1))
                || plain.substring(0, function.start()).contains("=")) {
            return "";
        }
        return function.group(1);
    }

    private String kind(String name) {
        if (open.isEmpty() && FUNCTION_WORDS.contains(language)) {
            return "function";
        }
        boolean constructor = name.equals(enclosing()) || name.equals("constructor");
        return constructor ? "constructor" : open.isEmpty() ? "function" : "method";
    }

    /** A statement in a type may declare a function without a body, or a type without one. */
    private void statement() {
        if (inMembers()) {
            String code = ANNOTATION.matcher(head).replaceAll(" ").strip();
            String name = code.contains("=") ? "" : function(code);
            int first = lines.at(Math.max(0, headStart)) + 1;
            boolean declares = !open.isEmpty() && !name.isEmpty();
            Matcher type = TYPE.matcher(beforeBody(code));
            if (type.find() && !type.group(1).equals("package") && !code.startsWith("import")) {
                found.add(new Declaration(type.group(1), type.group(2), first, lines.at(at) + 1, depth()));
            } else if (declares) {
                found.add(new Declaration(kind(name), name, first, lines.at(at) + 1, depth()));
            }
        }
        reset();
    }

    private void close(int line) {
        Block block = open.poll();
        if (block != null && !block.kind().isEmpty()) {
            found.add(new Declaration(
                    block.kind(), block.name(), block.firstLine(), Math.max(line, block.firstLine()), depth()));
        }
    }
}
