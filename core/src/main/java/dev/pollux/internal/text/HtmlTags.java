package dev.pollux.internal.text;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The tags of raw HTML in Markdown, as far as they part text or hide it. */
final class HtmlTags {

    /** Whose content no reader sees as text. */
    private static final Set<String> HIDING = Set.of("script", "style", "template", "svg", "noscript");

    /** Which begin a block of raw HTML; CommonMark 0.31, section 4.6, condition 6 and 1. */
    private static final Set<String> BLOCKS = Set.of(
            ("address article aside base basefont blockquote body caption center col colgroup dd details dialog dir div"
                            + " dl dt fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html"
                            + " iframe legend li link main menu menuitem nav noframes ol optgroup option p param pre script search"
                            + " section style summary svg table tbody td template textarea tfoot th thead title tr track ul"
                            + " noscript")
                    .split(" "));

    private static final Set<String> INSIDE_A_ROW = Set.of("td", "th", "col", "colgroup");

    private static final Pattern OPENING = Pattern.compile("</?([a-zA-Z][a-zA-Z0-9-]{0,30})(?=[\\s/>]|$)");

    /** A whole tag; attribute values may hold no {@code >}. */
    static final Pattern TAG = Pattern.compile("<(/?)([a-zA-Z][a-zA-Z0-9-]{0,30})((?:\\s[^<>]{0,4000})?)/?>");

    private HtmlTags() {}

    /** The name of the block tag that a line begins with, in lower case; empty where it begins with none. */
    static String block(String rest) {
        Matcher tag = OPENING.matcher(rest);
        String name = tag.lookingAt() ? tag.group(1).toLowerCase(Locale.ROOT) : "";
        return BLOCKS.contains(name) ? name : "";
    }

    /** Whether a tag separates the text before it from the text after it. */
    static boolean parts(String name) {
        return BLOCKS.contains(name) && !INSIDE_A_ROW.contains(name) || name.equals("br") || name.equals("img");
    }

    static boolean hides(String name) {
        return HIDING.contains(name);
    }

    /** The level of a heading's tag; 0 of others. */
    static int level(String name) {
        return name.length() == 2 && name.charAt(0) == 'h' && name.charAt(1) >= '1' && name.charAt(1) <= '6'
                ? name.charAt(1) - '0'
                : 0;
    }

    /** Whether a line is one tag and nothing else: condition 7. */
    static boolean isLoneTag(String rest) {
        return TAG.matcher(rest.strip()).matches();
    }
}
