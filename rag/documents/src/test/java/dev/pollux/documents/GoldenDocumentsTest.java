package dev.pollux.documents;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.internal.Json;
import dev.pollux.internal.text.Block;
import dev.pollux.internal.text.Reading;
import dev.pollux.rag.source.DocumentSink;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Place;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every file of the reference documents: what must and must not be in its text, its headings, pages, tables and metadata. */
class GoldenDocumentsTest {

    private static final System.Logger LOGGER = System.getLogger(GoldenDocumentsTest.class.getName());

    @TestFactory
    Stream<DynamicTest> everyFileHasTheTextThatItsManifestNames() throws IOException {
        Path golden = ReferenceData.golden("documents");
        Path manifest = golden.resolve("manifest.json");
        Map<?, ?> files = (Map<?, ?>) Json.parse(ByteBuffer.wrap(Files.readAllBytes(manifest)), "manifest.json");
        return files.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(
                        entry.getKey().toString(),
                        () -> check(golden.resolve(entry.getKey().toString()), (Map<?, ?>) entry.getValue())));
    }

    private static void check(Path file, Map<?, ?> expected) {
        Read read = Read.of(file);
        String host = hostName();
        read.documents.forEach(
                document -> assertThat(host.length() > 2 && document.text().contains(host))
                        .as("holds the name of this host")
                        .isFalse());
        if (expected.containsKey("expect")) {
            assertThat(read.documents.size() + read.skipped.size())
                    .as("read or skipped")
                    .isPositive();
            checkExpected(file, expected, read);
            return;
        }
        if (!expected.containsKey("in_order")) {
            return; // records and declarations have tests of their own
        }
        assertThat(read.skipped).isEmpty();
        assertThat(read.documents).hasSize(1);
        Document document = read.documents.get(0);
        String shown = folded(document.text());
        int from = 0;
        for (String text : strings(expected, "in_order")) {
            int at = shown.indexOf(folded(text), from);
            assertThat(at)
                    .as("<%s> after character %s of %s", text, from, document.text())
                    .isNotNegative();
            from = at + folded(text).length();
        }
        for (String text : strings(expected, "contains")) {
            assertThat(shown).contains(folded(text));
        }
        for (String text : strings(expected, "once")) {
            assertThat(shown.split(Pattern.quote(folded(text)), -1)).as(text).hasSize(2);
        }
        for (String text : strings(expected, "must_not")) {
            assertThat(document.text()).doesNotContain(text);
        }
        for (String text : strings(expected, "should_not")) {
            if (document.text().contains(text)) {
                LOGGER.log(System.Logger.Level.WARNING, file.getFileName() + " holds " + text);
            }
        }
        checkStructure(expected, document);
        checkMetadata(expected, document);
    }

    private static void checkExpected(Path file, Map<?, ?> expected, Read read) {
        String said = String.join("\n", read.skipped);
        String words = expected.get("expect").toString();
        if (words.contains("encryption")) {
            assertThat(said).contains("is encrypted");
            String password = expected.get("password").toString();
            DocumentFileReader reader = DocumentFileReader.create(
                    ReaderOptions.builder().passwords(List.of(password)).build());
            Read opened = new Read();
            reader.read(new dev.pollux.rag.source.SourceFile(file, "id", ""), opened);
            assertThat(opened.documents).hasSize(1);
        } else if (words.contains("no text layer")) {
            assertThat(said).contains("has no text layer");
        } else if (words.startsWith("skipped: empty file")) {
            assertThat(said).contains("is an empty file");
        } else if (words.startsWith("skipped:")) {
            assertThat(said).isNotEmpty();
        }
    }

    private static void checkStructure(Map<?, ?> expected, Document document) {
        if (expected.containsKey("headings")) {
            List<?> headings = (List<?>) expected.get("headings");
            boolean title = headings.stream().anyMatch(heading -> level(heading) == 0);
            assertThat(headings(document))
                    .containsAll(headings.stream()
                            .map(heading -> (level(heading) + (title ? 1 : 0)) + " " + ((List<?>) heading).get(1))
                            .toList());
        }
        if (expected.get("pages") instanceof Map<?, ?> pages) {
            pages.forEach((text, page) -> assertThat(page(document, text.toString()))
                    .as(text.toString())
                    .isEqualTo(((Long) page).intValue()));
        }
        if (expected.get("table") instanceof List<?> rows) {
            for (Object row : rows) {
                String cells = ((List<?>) row)
                        .stream().map(cell -> Pattern.quote(cell.toString())).collect(Collectors.joining("[ \\t|]+"));
                assertThat(Pattern.compile(cells).matcher(document.text()).find())
                        .as("row %s", row)
                        .isTrue();
            }
        }
        for (String sheet : strings(expected, "sheets")) {
            assertThat(document.places().stream().map(Place::location))
                    .anyMatch(location -> location instanceof Location.Cells cells
                            && cells.sheet().equals(sheet));
        }
    }

    private static long level(Object heading) {
        return (Long) ((List<?>) heading).get(0);
    }

    private static List<String> headings(Document document) {
        return Reading.of(document.text(), document.mediaType()).blocks().stream()
                .filter(block -> block.kind() == Block.Kind.HEADING)
                .map(block -> block.level() + " "
                        + block.path().get(block.path().size() - 1).title())
                .toList();
    }

    /** The page of the first occurrence of a text. */
    private static int page(Document document, String text) {
        String pattern = Stream.of(text.split("\\s+")).map(Pattern::quote).collect(Collectors.joining("[\\s|]+"));
        Matcher found = Pattern.compile(pattern).matcher(document.text());
        assertThat(found.find()).as(text).isTrue();
        Location location = Location.whole();
        for (Place place : document.places()) {
            location = place.start() <= found.start() ? place.location() : location;
        }
        return ((Location.Pages) location).first();
    }

    private static void checkMetadata(Map<?, ?> expected, Document document) {
        for (String field : List.of("title", "author", "language")) {
            if (expected.containsKey(field)) {
                assertThat(document.metadata())
                        .containsEntry(field, expected.get(field).toString());
            }
        }
        if (expected.containsKey("page_count")) {
            assertThat(document.metadata())
                    .containsEntry("pages", expected.get("page_count").toString());
        }
        if (expected.get("metadata") instanceof Map<?, ?> fields) {
            fields.forEach(
                    (name, value) -> assertThat(document.metadata()).containsEntry(name.toString(), value.toString()));
        }
        if (expected.get("attachments") instanceof Map<?, ?> attachments) {
            attachments.forEach((name, text) -> {
                assertThat(document.metadata().get("attachments")).contains(name.toString());
                assertThat(folded(document.text())).contains(folded(text.toString()));
            });
        }
    }

    private static List<String> strings(Map<?, ?> expected, String key) {
        return expected.get(key) instanceof List<?> texts
                ? texts.stream().map(Object::toString).toList()
                : List.of();
    }

    /** As the README of the set says: NFKC, without soft hyphens, white space and bars as one blank; and without escapes. */
    private static String folded(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFKC)
                .replace("\u00AD", "")
                .replaceAll("\\\\(?=\\p{Punct})", "")
                .replaceAll("[\\s|]+", " ")
                .strip();
    }

    private static String hostName() {
        try {
            return Files.readString(Path.of("/etc/hostname"), UTF_8).strip();
        } catch (IOException e) {
            return "";
        }
    }

    /** Collects what a source passes on. */
    private static final class Read implements DocumentSink {
        private final List<Document> documents = new ArrayList<>();
        private final List<String> skipped = new ArrayList<>();

        static Read of(Path file) {
            Read read = new Read();
            DocumentSource.file(file).read(read);
            return read;
        }

        @Override
        public void expect(long count) {}

        @Override
        public void document(Document document) {
            documents.add(document);
        }

        @Override
        public void skipped(String id, String reason) {
            skipped.add(id + " " + reason);
        }

        @Override
        public void unread(String id, String kind, String reason) {
            skipped.add(id + " " + reason);
        }

        @Override
        public void notice(String id, String message) {}
    }
}
