package dev.pollux.internal;

/** Text in pages of HTML. <em>Stateless, thread-safe.</em> */
public final class HtmlText {

    private HtmlText() {}

    /** A text for an element or a quoted attribute: names may come from untrusted files. */
    public static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}
