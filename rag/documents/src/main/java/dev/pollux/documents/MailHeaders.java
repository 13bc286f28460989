package dev.pollux.documents;

import java.io.ByteArrayOutputStream;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.time.DateTimeException;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The header of a message or of a part of it: RFC 5322, 2047, 2231. <em>Immutable.</em> */
final class MailHeaders {

    private static final Pattern WORD =
            Pattern.compile("=\\?([^?*\\s]{1,60})(?:\\*[^?\\s]*)?\\?([QqBb])\\?([^?\\s]*)\\?=");
    private static final Pattern BETWEEN_WORDS = Pattern.compile("(=\\?[^?\\s]+\\?[QqBb]\\?[^?\\s]*\\?=)\\s+(?==\\?)");
    private static final Pattern PARAMETER =
            Pattern.compile("([\\w!#$&+.^`|~*-]+)\\s*=\\s*(\"(?:[^\"\\\\]|\\\\.)*\"|[^\\s;]*)");
    private static final Pattern ADDRESS = Pattern.compile("[^\\s<>,;:\"()]+@[^\\s<>,;:\"()]+");

    private final Map<String, String> fields;

    private MailHeaders(Map<String, String> fields) {
        this.fields = fields;
    }

    /** Reads header lines; of several fields with one name, the first counts. */
    static MailHeaders of(List<String> lines) {
        List<String> whole = new ArrayList<>();
        for (String line : lines) {
            boolean continues = !line.isEmpty() && (line.charAt(0) == ' ' || line.charAt(0) == '\t');
            if (continues && !whole.isEmpty()) {
                whole.set(whole.size() - 1, whole.get(whole.size() - 1) + " " + line.strip());
            } else {
                whole.add(line);
            }
        }
        Map<String, String> fields = new HashMap<>();
        for (String line : whole) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                fields.putIfAbsent(
                        line.substring(0, colon).strip().toLowerCase(Locale.ROOT),
                        line.substring(colon + 1).strip());
            }
        }
        return new MailHeaders(fields);
    }

    boolean isEmpty() {
        return fields.isEmpty();
    }

    /** A field with its encoded words decoded; empty if it is absent. */
    String text(String name) {
        return decoded(raw(name));
    }

    private String raw(String name) {
        return fields.getOrDefault(name, "");
    }

    /** The value of a field without its parameters, in lower case. */
    String value(String name) {
        String raw = raw(name);
        int end = raw.indexOf(';');
        return (end < 0 ? raw : raw.substring(0, end)).strip().toLowerCase(Locale.ROOT);
    }

    /** The addresses of a field, without names. */
    String addresses(String name) {
        List<String> found = new ArrayList<>();
        Matcher address = ADDRESS.matcher(raw(name));
        while (address.find()) {
            found.add(address.group());
        }
        return String.join(", ", found);
    }

    /** The time of the message in UTC, in ISO 8601. */
    Optional<String> date() {
        String plain = raw("date").replaceAll("\\([^)]*\\)", "").strip().replaceAll("\\s+", " ");
        try {
            ZonedDateTime time =
                    ZonedDateTime.parse(plain.replaceAll("(?:UT|UTC|Z)$", "GMT"), DateTimeFormatter.RFC_1123_DATE_TIME);
            return Optional.of(time.toInstant().toString());
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }

    /** A parameter of a field, such as {@code charset}; empty if it is absent. */
    String parameter(String field, String name) {
        String plain = "";
        Map<Integer, String> pieces = new TreeMap<>();
        boolean extended = false;
        String raw = raw(field);
        Matcher parameter = PARAMETER.matcher(raw);
        int from = Math.max(0, raw.indexOf(';'));
        while (parameter.find(from)) {
            from = parameter.end();
            String key = parameter.group(1).toLowerCase(Locale.ROOT);
            String value = unquoted(parameter.group(2));
            if (key.equals(name)) {
                plain = decoded(value);
            } else if (key.startsWith(name + "*")) {
                String number = key.substring(name.length() + 1).replace("*", "");
                extended |= key.endsWith("*");
                pieces.put(number.matches("\\d{1,3}") ? Integer.parseInt(number) : 0, value);
            }
        }
        String joined = String.join("", pieces.values());
        return pieces.isEmpty() ? plain : extended ? percents(joined) : joined;
    }

    private static String unquoted(String value) {
        return value.startsWith("\"") && value.length() > 1
                ? value.substring(1, value.length() - 1).replaceAll("\\\\(.)", "$1")
                : value;
    }

    /** {@code charset'language'text}, with bytes as {@code %XX}. */
    private static String percents(String value) {
        String[] parts = value.split("'", 3);
        String text = parts.length == 3 ? parts[2] : value;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < text.length(); i++) {
            boolean hex = text.charAt(i) == '%'
                    && i + 2 < text.length()
                    && text.substring(i + 1, i + 3).matches("[0-9A-Fa-f]{2}");
            if (hex) {
                bytes.write(Integer.parseInt(text.substring(i + 1, i + 3), 16));
                i += 2;
            } else {
                bytes.writeBytes(String.valueOf(text.charAt(i)).getBytes(StandardCharsets.UTF_8));
            }
        }
        return bytes.toString(charset(parts.length == 3 ? parts[0] : ""));
    }

    static String decoded(String raw) {
        if (!raw.contains("=?")) {
            return raw;
        }
        String joined = BETWEEN_WORDS.matcher(raw).replaceAll("$1");
        return WORD.matcher(joined)
                .replaceAll(word -> Matcher.quoteReplacement(word(word.group(1), word.group(2), word.group(3))));
    }

    private static String word(String charset, String form, String content) {
        byte[] bytes = form.equalsIgnoreCase("b")
                ? base64(content.getBytes(StandardCharsets.ISO_8859_1))
                : quotedPrintable(content.replace('_', ' ').getBytes(StandardCharsets.ISO_8859_1));
        return new String(bytes, charset(charset));
    }

    private static Charset charset(String name) {
        try {
            return name.isEmpty() ? StandardCharsets.UTF_8 : Charset.forName(name);
        } catch (IllegalCharsetNameException | UnsupportedCharsetException e) {
            return StandardCharsets.UTF_8;
        }
    }

    /** Decodes Base64; a damaged end is left out. */
    static byte[] base64(byte[] content) {
        ByteArrayOutputStream digits = new ByteArrayOutputStream(content.length);
        for (byte b : content) {
            if (Character.isLetterOrDigit(b) && b > 0 || b == '+' || b == '/') {
                digits.write(b);
            }
        }
        byte[] found = digits.toByteArray();
        int whole = found.length % 4 == 1 ? found.length - 1 : found.length;
        return Base64.getDecoder().decode(Arrays.copyOf(found, whole));
    }

    static byte[] quotedPrintable(byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(content.length);
        for (int i = 0; i < content.length; i++) {
            if (content[i] != '=') {
                out.write(content[i]);
                continue;
            }
            int high = i + 1 < content.length ? Character.digit(content[i + 1], 16) : -1;
            int low = i + 2 < content.length ? Character.digit(content[i + 2], 16) : -1;
            if (high >= 0 && low >= 0) {
                out.write(high * 16 + low);
                i += 2;
            } else {
                int end = i + 1;
                while (end < content.length && (content[end] == ' ' || content[end] == '\t' || content[end] == '\r')) {
                    end++;
                }
                boolean soft = end < content.length && content[end] == '\n';
                i = soft ? end : i;
            }
        }
        return out.toByteArray();
    }
}
