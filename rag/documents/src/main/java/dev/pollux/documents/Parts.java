package dev.pollux.documents;

import dev.pollux.internal.Interrupts;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * The entries of a ZIP archive that is a document. Nothing is written: an entry is found by its name and unpacked into memory
 * as a stream, under the limits of the guard. <em>Confined to one thread.</em>
 */
final class Parts implements AutoCloseable {

    /** A relationship of Office Open XML. */
    record Relation(String type, String target) {}

    private final ZipFile zip;
    private final Guard guard;

    private Parts(ZipFile zip, Guard guard) {
        this.zip = zip;
        this.guard = guard;
    }

    static Parts open(Path file, Guard guard) {
        try {
            ZipFile zip = new ZipFile(file.toFile());
            if (zip.size() > guard.options().maxEntries()) {
                zip.close();
                throw new UnreadableException("is an archive of " + zip.size() + " entries, more than "
                        + guard.options().maxEntries());
            }
            return new Parts(zip, guard);
        } catch (ZipException e) {
            throw new UnreadableException("is a damaged archive", e);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    static RuntimeException failed(IOException e) {
        return Interrupts.isCauseOf(e)
                ? Interrupts.cancelled(e)
                : new UnreadableException("cannot be read: " + e.getMessage(), e);
    }

    boolean has(String name) {
        return zip.getEntry(name) != null;
    }

    /** A part; the caller closes it. */
    InputStream stream(String name) {
        ZipEntry entry = zip.getEntry(name);
        if (entry == null) {
            throw new UnreadableException("is a damaged archive: it has no " + name);
        }
        guard.checkEntry(entry.getCompressedSize(), entry.getSize());
        try {
            return guard.inflating(zip.getInputStream(entry), entry.getCompressedSize());
        } catch (IOException e) {
            throw new UnreadableException("is a damaged archive: " + name + " cannot be unpacked", e);
        }
    }

    Xml xml(String name) {
        return Xml.of(stream(name), guard);
    }

    byte[] bytes(String name) {
        try (InputStream in = stream(name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UnreadableException("is a damaged archive: " + name + " cannot be unpacked", e);
        }
    }

    /** The relationships of a part by their ids; none if it has none. Targets outside of the archive are left out. */
    Map<String, Relation> relations(String part) {
        int slash = part.lastIndexOf('/') + 1;
        String name = part.substring(0, slash) + "_rels/" + part.substring(slash) + ".rels";
        Map<String, Relation> relations = new HashMap<>();
        if (!has(name)) {
            return relations;
        }
        try (Xml xml = xml(name)) {
            while (xml.next()) {
                if (xml.starts("Relationship") && !xml.attribute("TargetMode").equals("External")) {
                    String type = xml.attribute("Type");
                    String target = resolve(part, xml.attribute("Target"));
                    relations.put(xml.attribute("Id"), new Relation(type.substring(type.lastIndexOf('/') + 1), target));
                }
            }
        }
        return relations;
    }

    /** The name of the entry that a reference in another one leads to. */
    static String resolve(String from, String reference) {
        String target = reference.indexOf('#') < 0 ? reference : reference.substring(0, reference.indexOf('#'));
        if (target.indexOf('%') >= 0) {
            try {
                target = URLDecoder.decode(target.replace("+", "%2B"), StandardCharsets.UTF_8);
            } catch (IllegalArgumentException e) {
                return target;
            }
        }
        String whole =
                target.startsWith("/") ? target.substring(1) : from.substring(0, from.lastIndexOf('/') + 1) + target;
        Deque<String> names = new ArrayDeque<>();
        for (String name : whole.split("/")) {
            if (name.equals("..")) {
                names.pollLast();
            } else if (!name.equals(".") && !name.isEmpty()) {
                names.addLast(name);
            }
        }
        return String.join("/", names);
    }

    @Override
    public void close() {
        try {
            zip.close();
        } catch (IOException e) {
            throw failed(e);
        }
    }
}
