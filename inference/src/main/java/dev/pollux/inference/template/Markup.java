package dev.pollux.inference.template;

/** A string marked as safe HTML ({@code |safe}, {@code |escape}): strings joined to it are escaped. <em>Immutable.</em> */
record Markup(String text) {

    /** {@code text} with the five characters that matter in HTML replaced. */
    static String escape(String text) {
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '\'' -> escaped.append("&#39;");
                case '"' -> escaped.append("&#34;");
                default -> escaped.append(c);
            }
        }
        return escaped.toString();
    }
}
