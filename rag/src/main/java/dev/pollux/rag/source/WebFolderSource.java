package dev.pollux.rag.source;

import dev.pollux.StorageException;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The pages of a web site from a local mirror of it; nothing is fetched. */
final class WebFolderSource implements DocumentSource {

    private static final Pattern LOCATION = Pattern.compile("<loc>\\s*(?:<!\\[CDATA\\[)?\\s*([^<\\]\\s]+)");
    private static final Pattern INDEX = Pattern.compile("<sitemapindex[\\s>]");
    private static final int MOST_SITEMAPS = 1_000;
    private static final int MOST_BYTES = 16 << 20;

    private final Path folder;
    private final String site;
    private final Optional<Path> list;

    /** @param list a file with an address in each line; without one the sitemap is read */
    WebFolderSource(Path folder, String site, Optional<Path> list) {
        this.folder = folder.toAbsolutePath().normalize();
        this.site = site.endsWith("/") ? site.substring(0, site.length() - 1) : site;
        this.list = list;
    }

    @Override
    public String name() {
        String name = site.replaceFirst("^\\w+://", "").replaceAll("[#\\p{Cc}]", "_");
        return name.isBlank() ? "_" : name;
    }

    @Override
    public String path() {
        return site;
    }

    @Override
    public boolean isNamed() {
        return false;
    }

    @Override
    public void read(DocumentSink sink) {
        Set<String> pages = list.isPresent() ? listed(list.get()) : sitemap();
        sink.expect(pages.size());
        DocumentReaders readers = DocumentReaders.installed();
        TextFile text = new TextFile(MOST_BYTES, sink);
        for (String page : pages) {
            String id = id(page);
            Optional<Path> file = file(id);
            if (file.isEmpty()) {
                sink.skipped(id, "is not in the mirror " + folder);
                continue;
            }
            String name = String.valueOf(file.get().getFileName());
            Optional<DocumentReader> reader = readers.of(name);
            String kind = FileTypes.unread(name);
            if (reader.isPresent() || FileTypes.mediaType(name).isPresent()) {
                text.read(id, page, new FolderWalk.Wanted(file.get(), FileTypes.mediaTypeAsked(name), reader));
            } else {
                sink.unread(id, kind, FolderWalk.Unread.type(kind).reason());
            }
        }
    }

    private Set<String> listed(Path file) {
        Set<String> pages = new LinkedHashSet<>();
        for (String line : content(file).split("\\R")) {
            if (!line.isBlank() && !line.startsWith("#")) {
                pages.add(absolute(line.strip()));
            }
        }
        return pages;
    }

    private Set<String> sitemap() {
        Set<String> pages = new LinkedHashSet<>();
        Set<String> maps = new LinkedHashSet<>(List.of(site + "/sitemap.xml"));
        for (int i = 0; i < Math.min(maps.size(), MOST_SITEMAPS); i++) {
            String map = List.copyOf(maps).get(i);
            Optional<Path> file = file(id(map));
            if (file.isEmpty() && i == 0) {
                throw new StorageException("Folder " + folder
                        + " has no sitemap.xml; give the mirror of a site with one, or a list of its pages");
            }
            String xml = file.map(WebFolderSource::content).orElse("");
            boolean index = INDEX.matcher(xml).find();
            Matcher location = LOCATION.matcher(xml);
            while (location.find()) {
                (index ? maps : pages).add(absolute(location.group(1).replace("&amp;", "&")));
            }
        }
        return pages;
    }

    private static String content(Path file) {
        try {
            if (Files.size(file) > MOST_BYTES) {
                throw new StorageException(file + " is larger than " + MOST_BYTES + " bytes; divide the list of pages");
            }
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new StorageException(file + " cannot be read as UTF-8; check the path and its permissions", e);
        }
    }

    private String absolute(String page) {
        return page.matches("\\w+://.*") ? page : site + (page.startsWith("/") ? "" : "/") + page;
    }

    /** The address below the site; the whole address of a page elsewhere. */
    private String id(String page) {
        String below = page.startsWith(site) ? page.substring(site.length()).replaceFirst("^/+", "") : page;
        return below.isEmpty() ? "index.html" : below;
    }

    /** The file of a page, as mirrors store it; absent if there is none or it is outside of the folder. */
    private Optional<Path> file(String id) {
        String plain = id.replaceFirst("#.*", "");
        String path = plain.replaceFirst("\\?.*", "");
        for (String candidate :
                List.of(plain, path, path + ".html", path + "/index.html", path + "index.html", path + ".htm")) {
            Optional<Path> file = resolve(candidate);
            if (file.isPresent()) {
                return file;
            }
        }
        return Optional.empty();
    }

    private Optional<Path> resolve(String name) {
        try {
            String decoded =
                    name.indexOf('%') < 0 ? name : URLDecoder.decode(name.replace("+", "%2B"), StandardCharsets.UTF_8);
            Path file = folder.resolve(decoded).normalize();
            boolean inside = file.startsWith(folder)
                    && Files.isRegularFile(file)
                    && file.toRealPath().startsWith(folder.toRealPath());
            return inside ? Optional.of(file) : Optional.empty();
        } catch (IllegalArgumentException | IOException e) {
            return Optional.empty(); // InvalidPathException is one
        }
    }

    @Override
    public String toString() {
        return "web folder " + folder;
    }
}
