package dev.pollux.documents;

import java.util.Map;
import java.util.Set;

/** Control words of RTF by what becomes of them. */
final class RtfWords {

    /** Destinations that hold no text of the document. */
    static final Set<String> SKIPPED = Set.of(
            "colortbl",
            "pict",
            "object",
            "header",
            "headerl",
            "headerr",
            "headerf",
            "footer",
            "footerl",
            "footerr",
            "footerf",
            "listtable",
            "listoverridetable",
            "rsidtbl",
            "generator",
            "themedata",
            "colorschememapping",
            "xmlnstbl",
            "fldinst",
            "pntext",
            "listtext",
            "nonshppict",
            "bkmkstart",
            "bkmkend",
            "tc",
            "xe",
            "revtbl",
            "filetbl",
            "datastore",
            "latentstyles",
            "template",
            "comment",
            "annotation",
            "atnid",
            "atnauthor",
            "private",
            "doccomm",
            "operator",
            "category",
            "company",
            "creatim",
            "revtim",
            "printim",
            "buptim",
            "userprops",
            "pnseclvl",
            "ftnsep",
            "ftnsepc",
            "aftnsep",
            "aftnsepc");

    /** Destinations that hold metadata, with the field. */
    static final Map<String, String> INFO =
            Map.of("title", "title", "author", "author", "subject", "subject", "keywords", "keywords");

    /** Control words that are a character of the text. */
    static final Map<String, String> SYMBOLS = Map.ofEntries(
            Map.entry("tab", " "),
            Map.entry("line", "\n"),
            Map.entry("lbr", "\n"),
            Map.entry("emdash", "—"),
            Map.entry("endash", "–"),
            Map.entry("lquote", "‘"),
            Map.entry("rquote", "’"),
            Map.entry("ldblquote", "“"),
            Map.entry("rdblquote", "”"),
            Map.entry("bullet", "•"),
            Map.entry("emspace", " "),
            Map.entry("enspace", " "),
            Map.entry("qmspace", " "),
            Map.entry("nestcell", " "),
            Map.entry("nestrow", " "));

    private RtfWords() {}
}
