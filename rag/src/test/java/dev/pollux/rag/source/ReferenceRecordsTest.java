package dev.pollux.rag.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.internal.Json;
import dev.pollux.retrieval.Document;
import dev.pollux.testkit.ReferenceData;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The records of the reference files of tables and JSON Lines. */
class ReferenceRecordsTest {

    @TestFactory
    Stream<DynamicTest> everyRecordHasItsValues() throws IOException {
        Path golden = ReferenceData.golden("documents");
        Path manifest = golden.resolve("manifest.json");
        Map<?, ?> files = (Map<?, ?>) Json.parse(ByteBuffer.wrap(Files.readAllBytes(manifest)), "manifest.json");
        return files.entrySet().stream()
                .filter(file -> ((Map<?, ?>) file.getValue()).containsKey("records"))
                .map(file -> DynamicTest.dynamicTest(file.getKey().toString(), () -> {
                    Path path = golden.resolve(file.getKey().toString());
                    List<?> records = (List<?>) ((Map<?, ?>) file.getValue()).get("records");
                    if (path.toString().endsWith(".csv")) {
                        assertThat(rows(path)).isEqualTo(records);
                    } else {
                        checkLines(path, records);
                    }
                }));
    }

    private static List<Map<String, String>> rows(Path file) throws Exception {
        String text =
                TextDecoding.decode(Files.readAllBytes(file)).orElseThrow().text();
        CsvRows rows = new CsvRows(new BufferedReader(new StringReader(text)));
        List<String> names = rows.next().orElseThrow().cells();
        List<Map<String, String>> records = new ArrayList<>();
        for (Optional<CsvRows.Row> row = rows.next(); row.isPresent(); row = rows.next()) {
            Map<String, String> record = new LinkedHashMap<>();
            for (int i = 0; i < names.size(); i++) {
                record.put(names.get(i), row.get().cells().get(i));
            }
            records.add(record);
        }
        return records;
    }

    /** Each record with a text is a document, in order; the others are skipped. */
    private static void checkLines(Path file, List<?> records) throws IOException {
        List<Document> documents = new ArrayList<>();
        List<String> failed = new ArrayList<>();
        DocumentSource.file(file).read(new DocumentSink() {
            @Override
            public void expect(long count) {}

            @Override
            public void document(Document document) {
                documents.add(document);
            }

            @Override
            public void skipped(String id, String reason) {
                failed.add(reason);
            }

            @Override
            public void unread(String id, String kind, String reason) {}

            @Override
            public void notice(String id, String message) {}
        });
        List<Map<?, ?>> filled = new ArrayList<>();
        for (Object record : records) {
            Map<?, ?> fields = (Map<?, ?>) record;
            if (!String.valueOf(fields.get("text")).isBlank()) {
                filled.add(fields);
            }
        }
        assertThat(documents)
                .extracting(document -> document.id().substring(document.id().indexOf('/') + 1))
                .isEqualTo(filled.stream().map(fields -> fields.get("id")).toList());
        assertThat(documents)
                .extracting(Document::text)
                .isEqualTo(filled.stream().map(fields -> fields.get("text")).toList());
        long lines = Files.readString(file, StandardCharsets.UTF_8)
                .lines()
                .filter(line -> !line.isBlank())
                .count();
        assertThat(failed).hasSize((int) lines - documents.size()).allMatch(reason -> reason.startsWith("line "));
    }
}
