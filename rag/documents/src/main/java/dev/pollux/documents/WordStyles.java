package dev.pollux.documents;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The styles and lists of a DOCX file, as far as they tell headings, items and contents lists. */
final class WordStyles {

    /** The level of a paragraph that is no heading. */
    static final int NO_HEADING = -1;

    /** The level of the title of the document. */
    static final int TITLE = 0;

    private static final Pattern HEADING = Pattern.compile("heading (\\d)");
    private static final int MOST_PARENTS = 20;
    private static final int BODY_LEVEL = 9;

    /** A paragraph style. */
    private static final class Style {
        private String name = "";
        private String parent = "";
        private String outline = "";
        private String list = "";
    }

    private final Map<String, Style> styles = new HashMap<>();
    private final Map<String, String> abstracts = new HashMap<>(); // abstract list of each list
    private final Map<String, String> formats = new HashMap<>(); // number format, by abstract list and level

    static WordStyles of(Parts parts, String folder) {
        WordStyles read = new WordStyles();
        if (parts.has(folder + "styles.xml")) {
            try (Xml xml = parts.xml(folder + "styles.xml")) {
                read.styles(xml);
            }
        }
        if (parts.has(folder + "numbering.xml")) {
            try (Xml xml = parts.xml(folder + "numbering.xml")) {
                read.numbering(xml);
            }
        }
        return read;
    }

    private void styles(Xml xml) {
        Style open = new Style();
        while (xml.next()) {
            if (!xml.isStart()) {
                continue;
            }
            switch (xml.name()) {
                case "style" -> {
                    open = new Style();
                    styles.put(xml.attribute("styleId"), open);
                }
                case "name" -> open.name = xml.attribute("val").toLowerCase(Locale.ROOT);
                case "basedOn" -> open.parent = xml.attribute("val");
                case "outlineLvl" -> open.outline = xml.attribute("val");
                case "numId" -> open.list = xml.attribute("val");
                default -> {
                    // of no importance here
                }
            }
        }
    }

    private void numbering(Xml xml) {
        String list = "";
        String level = "";
        while (xml.next()) {
            if (!xml.isStart()) {
                continue;
            }
            switch (xml.name()) {
                case "abstractNum" -> list = xml.attribute("abstractNumId");
                case "lvl" -> level = xml.attribute("ilvl");
                case "numFmt" -> formats.put(list + " " + level, xml.attribute("val"));
                case "num" -> list = xml.attribute("numId");
                case "abstractNumId" -> abstracts.put(list, xml.attribute("val"));
                default -> {
                    // of no importance here
                }
            }
        }
    }

    /** The level of a style: 1 to 9 of a heading, {@link #TITLE}, or {@link #NO_HEADING}. */
    int level(String id) {
        Style style = styles.get(id);
        for (int i = 0; style != null && i < MOST_PARENTS; i++) {
            Matcher heading = HEADING.matcher(style.name);
            if (heading.matches()) {
                return Integer.parseInt(heading.group(1));
            }
            if (style.name.equals("title")) {
                return TITLE;
            }
            int outline = outline(style.outline);
            if (outline != NO_HEADING) {
                return outline;
            }
            style = styles.get(style.parent);
        }
        return NO_HEADING;
    }

    /** The level of an outline level as the file spells it. */
    static int outline(String value) {
        boolean valid = value.length() == 1 && Character.isDigit(value.charAt(0));
        int level = valid ? value.charAt(0) - '0' : BODY_LEVEL;
        return level < BODY_LEVEL ? level + 1 : NO_HEADING;
    }

    /** Whether a style is one of a generated table of contents. */
    boolean isContents(String id) {
        Style style = styles.get(id);
        return style != null && (style.name.startsWith("toc ") || style.name.equals("table of figures"));
    }

    /** Whether paragraphs of a style are items of a list. */
    boolean isItem(String id) {
        Style style = styles.get(id);
        return style != null && style.name.startsWith("list ") && !style.name.equals("list paragraph");
    }

    /** The list of a style; empty if it has none. */
    String list(String id) {
        Style style = styles.get(id);
        for (int i = 0; style != null && i < MOST_PARENTS; i++) {
            if (!style.list.isEmpty()) {
                return style.list;
            }
            style = styles.get(style.parent);
        }
        return "";
    }

    /** Whether the items of a list have numbers. */
    boolean isNumbered(String list, String level) {
        String format = formats.getOrDefault(abstracts.getOrDefault(list, "") + " " + level, "bullet");
        return !format.equals("bullet") && !format.equals("none");
    }
}
