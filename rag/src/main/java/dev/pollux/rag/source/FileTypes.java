package dev.pollux.rag.source;

import dev.pollux.retrieval.Passage;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Determines the type of a file from its name. */
final class FileTypes {

    /** The type of CSV files, which are read as tables. */
    static final String CSV = "text/csv";

    /** The type of JSON Lines files, of which each line is a document. */
    static final String JSON_LINES = "application/jsonl";

    private static final String PLAIN = "text/plain";

    private static final Set<String> MARKDOWN_ENDINGS =
            Set.of("md", "markdown", "mdown", "mdwn", "mkd", "mkdn", "mdx", "qmd", "rmd");

    private static final Set<String> PLAIN_ENDINGS = Set.of(
            "txt",
            "text",
            "rst",
            "rest",
            "adoc",
            "asciidoc",
            "asc",
            "org",
            "tex",
            "textile",
            "wiki",
            "mediawiki",
            "creole",
            "typ",
            "log");

    private static final Map<String, String> RECORD_ENDINGS =
            Map.of("csv", CSV, "tsv", CSV, "jsonl", JSON_LINES, "ndjson", JSON_LINES);

    /** Languages of source code whose declarations are known, by ending. */
    private static final Map<String, String> CODE_ENDINGS = Map.ofEntries(
            Map.entry("java", "java"),
            Map.entry("kt", "kotlin"),
            Map.entry("kts", "kotlin"),
            Map.entry("scala", "scala"),
            Map.entry("c", "c"),
            Map.entry("h", "c"),
            Map.entry("cc", "cpp"),
            Map.entry("cpp", "cpp"),
            Map.entry("cxx", "cpp"),
            Map.entry("hpp", "cpp"),
            Map.entry("cs", "csharp"),
            Map.entry("go", "go"),
            Map.entry("rs", "rust"),
            Map.entry("swift", "swift"),
            Map.entry("js", "javascript"),
            Map.entry("mjs", "javascript"),
            Map.entry("jsx", "javascript"),
            Map.entry("ts", "typescript"),
            Map.entry("tsx", "typescript"),
            Map.entry("php", "php"),
            Map.entry("py", "python"));

    /** Names of common text files without an extension. */
    private static final Set<String> PLAIN_NAMES = Set.of(
            "readme",
            "changelog",
            "changes",
            "history",
            "news",
            "notes",
            "todo",
            "faq",
            "howto",
            "manual",
            "install",
            "contributing",
            "authors",
            "contributors",
            "license",
            "licence",
            "copying",
            "notice");

    /** Unsupported document types, by extension. */
    private static final Map<String, String> UNREAD = Stream.of(
                    "PDF", "HTML", "DOC", "DOCX", "DOCM", "ODT", "RTF", "PPT", "PPTX", "ODP", "XLS", "XLSX", "ODS",
                    "EPUB", "MOBI", "AZW3", "IPYNB", "PAGES", "DJVU", "PS", "XPS", "EML", "MSG", "MBOX", "CHM")
            .collect(Collectors.toMap(kind -> kind.toLowerCase(Locale.ROOT), Function.identity()));

    private static final Map<String, String> OTHER_ENDINGS =
            Map.of("htm", "HTML", "xhtml", "HTML", "shtml", "HTML", "djv", "DJVU", "pps", "PPT", "xlt", "XLS");

    private FileTypes() {}

    /** The media type to read a file as; absent if it is not read. */
    static Optional<String> mediaType(String name) {
        String ending = ending(name);
        if (MARKDOWN_ENDINGS.contains(ending)) {
            return Optional.of(Passage.MARKDOWN);
        }
        if (RECORD_ENDINGS.containsKey(ending)) {
            return Optional.ofNullable(RECORD_ENDINGS.get(ending));
        }
        if (CODE_ENDINGS.containsKey(ending)) {
            return Optional.of("text/x-" + CODE_ENDINGS.get(ending));
        }
        boolean plain = PLAIN_ENDINGS.contains(ending)
                || ending.isEmpty() && PLAIN_NAMES.contains(name.toLowerCase(Locale.ROOT));
        return plain ? Optional.of(PLAIN) : Optional.empty();
    }

    /** The media type of a file that was requested by name. */
    static String mediaTypeAsked(String name) {
        return mediaType(name).orElse(PLAIN);
    }

    /** The unsupported document type, such as {@code PDF}; empty if the extension is not that of a document. */
    static String unread(String name) {
        String ending = ending(name);
        return OTHER_ENDINGS.getOrDefault(ending, UNREAD.getOrDefault(ending, ""));
    }

    /** The part of a file's name after the last dot, in lower case; empty if there is none. */
    static String ending(String name) {
        int dot = name.lastIndexOf('.');
        return dot > 0 ? name.substring(dot + 1).toLowerCase(Locale.ROOT) : "";
    }
}
