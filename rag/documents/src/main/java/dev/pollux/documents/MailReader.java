package dev.pollux.documents;

import dev.pollux.retrieval.Location;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Reads mail in the format of RFC 5322 with MIME (RFC 2045, 2046). <em>Confined to one thread.</em> */
final class MailReader {

    /*
     * Of alternatives the plain text is read if it has any words, else the HTML. Attached texts and messages follow the message,
     * each under its name; other attachments are named in the metadata. Parts are views of the one array of the file, so that
     * messages in messages cost no copies.
     */

    private static final int CR = '\r';
    private static final int LF = '\n';

    /** A range of bytes of the file. */
    private record Part(int start, int end) {}

    private final byte[] file;
    private final Extracted out;
    private final List<String> attachments = new ArrayList<>();

    private MailReader(byte[] file, Extracted out) {
        this.file = file;
        this.out = out;
    }

    static void read(byte[] file, Extracted out) {
        MailReader reader = new MailReader(file, out);
        out.text().at(Location.whole());
        reader.message(new Part(0, file.length), 0);
        out.field("attachments", String.join(", ", reader.attachments));
    }

    private void message(Part part, int depth) {
        out.guard().checkDepth(depth);
        int body = bodyStart(part);
        MailHeaders headers = headers(part, body);
        if (headers.isEmpty()) {
            throw new UnreadableException("is no mail: it has no header");
        }
        if (depth == 0) {
            out.field("title", headers.text("subject"));
            out.field("subject", headers.text("subject"));
            out.field("author", headers.text("from"));
            out.field("from", headers.addresses("from"));
            out.field("to", headers.addresses("to"));
            headers.date().ifPresent(date -> out.field("date", date));
        } else {
            out.text().heading(2, headers.text("subject"));
        }
        content(headers, new Part(body, part.end()), depth);
    }

    private void content(MailHeaders headers, Part body, int depth) {
        out.guard().checkDepth(depth);
        String type = headers.value("content-type").isEmpty() ? "text/plain" : headers.value("content-type");
        String name = headers.parameter("content-disposition", "filename");
        name = name.isEmpty() ? headers.parameter("content-type", "name") : name;
        boolean attached = headers.value("content-disposition").equals("attachment") || !name.isEmpty();
        if (type.startsWith("multipart/")) {
            multipart(type, parts(body, headers.parameter("content-type", "boundary")), depth);
        } else if (type.equals("message/rfc822")) {
            message(body, depth + 1);
        } else if (type.equals("text/plain") || type.equals("text/html")) {
            if (attached) {
                attachments.add(name);
                out.text().heading(2, name);
            }
            String text = HtmlCharset.decode(bytes(headers, body), headers.parameter("content-type", "charset"));
            if (type.equals("text/html")) {
                HtmlText.part(text, out);
            } else {
                plain(text);
            }
        } else if (attached) {
            attachments.add(name.isEmpty() ? type : name);
        }
    }

    private void multipart(String type, List<Part> parts, int depth) {
        if (!type.equals("multipart/alternative")) {
            for (Part part : parts) {
                int body = bodyStart(part);
                content(headers(part, body), new Part(body, part.end()), depth + 1);
            }
            return;
        }
        Part chosen = null;
        boolean plain = false;
        for (Part part : parts) {
            int body = bodyStart(part);
            MailHeaders headers = headers(part, body);
            boolean text = headers.value("content-type").isEmpty()
                    || headers.value("content-type").equals("text/plain");
            boolean filled = text
                    && !new String(bytes(headers, new Part(body, part.end())), StandardCharsets.ISO_8859_1).isBlank();
            if (filled || !plain && !text) {
                chosen = part;
                plain |= filled;
            }
        }
        if (chosen != null) {
            int body = bodyStart(chosen);
            content(headers(chosen, body), new Part(body, chosen.end()), depth + 1);
        }
    }

    private void plain(String text) {
        for (String paragraph : text.replace("\r\n", "\n").split("\\n[ \\t]*\\n")) {
            out.text().paragraph(paragraph);
        }
    }

    private byte[] bytes(MailHeaders headers, Part body) {
        byte[] raw = Arrays.copyOfRange(file, body.start(), body.end());
        return switch (headers.value("content-transfer-encoding").toLowerCase(Locale.ROOT)) {
            case "base64" -> MailHeaders.base64(raw);
            case "quoted-printable" -> MailHeaders.quotedPrintable(raw);
            default -> raw;
        };
    }

    private MailHeaders headers(Part part, int body) {
        List<String> lines = new ArrayList<>();
        int from = part.start();
        while (from < body) {
            out.guard().step();
            int end = lineEnd(from, body);
            String line =
                    HtmlCharset.decode(Arrays.copyOfRange(file, from, end), "").stripTrailing();
            if (!line.isEmpty() && !line.startsWith("From ")) {
                lines.add(line);
            }
            from = end;
        }
        return MailHeaders.of(lines);
    }

    /** The first byte after the empty line that ends a header. */
    private int bodyStart(Part part) {
        int from = part.start();
        while (from < part.end()) {
            int end = lineEnd(from, part.end());
            if (isBlank(from, end)) {
                return end;
            }
            from = end;
        }
        return part.end();
    }

    private boolean isBlank(int from, int end) {
        for (int i = from; i < end; i++) {
            if (file[i] != CR && file[i] != LF) {
                return false;
            }
        }
        return true;
    }

    /** One past the line break that ends a line. */
    private int lineEnd(int from, int end) {
        int i = from;
        while (i < end && file[i] != LF) {
            i++;
        }
        return Math.min(end, i + 1);
    }

    private List<Part> parts(Part body, String boundary) {
        List<Part> parts = new ArrayList<>();
        if (boundary.isEmpty()) {
            return parts;
        }
        String mark = "--" + boundary;
        int begin = -1;
        int from = body.start();
        while (from < body.end()) {
            out.guard().step();
            int end = lineEnd(from, body.end());
            boolean maybe = end - from >= mark.length() && file[from] == '-' && end - from < mark.length() + 80;
            String line = maybe ? new String(file, from, end - from, StandardCharsets.ISO_8859_1).stripTrailing() : "";
            boolean last = line.equals(mark + "--");
            if (last || line.equals(mark)) {
                if (begin >= 0) {
                    parts.add(new Part(begin, Math.max(begin, from)));
                }
                begin = last ? -1 : end;
                if (last) {
                    return parts;
                }
            }
            from = end;
        }
        if (begin >= 0) {
            parts.add(new Part(begin, body.end()));
        }
        return parts;
    }
}
