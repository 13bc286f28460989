package dev.pollux.rag.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.StorageException;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Place;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordSourcesTest {

    @TempDir
    Path folder;

    private final Collected found = new Collected();

    @Test
    void aTableIsOneDocumentWithTheLinesOfItsRows() throws IOException {
        write("items.csv", "\uFEFFid,title\n1,\"Pump, \"\"blue\"\"\nlarge\"\n2,a|b\n");

        DocumentSource.folder(folder).read(found);

        assertThat(found.documents).hasSize(1);
        assertThat(found.documents.get(0).text())
                .isEqualTo("| id | title |\n|---|---|\n| 1 | Pump, \"blue\" large |\n| 2 | a\\|b |\n");
        assertThat(found.documents.get(0).places())
                .extracting(Place::location)
                .containsExactly(Location.lines(1, 1), Location.lines(2, 3), Location.lines(4, 4));
    }

    @Test
    void raggedRowsAndOpenQuotesAreNamedByTheirLines() throws IOException {
        write("open.csv", "id,text\n1,\"never closed\n2,row\n");
        write("ragged.csv", "a;b;c\n1;2;3\n4;5\n6;7;8;9\n");

        DocumentSource.folder(folder).read(found);

        assertThat(found.skipped).containsExactly("open.csv has a quote in line 2 that is never closed");
        assertThat(found.notices).containsExactly("ragged.csv has rows that have not 3 cells as its first: lines 3, 4");
    }

    @Test
    void eachRowIsADocumentIfFieldsAreMapped() throws IOException {
        Path file = write("rows.csv", "Key\tHead\tBody\tYear\na\tOne\tFirst.\t2024\nb\tTwo\t\t2025\nc\tThree\n");
        FieldMapping mapping =
                FieldMapping.builder().title("head").text(List.of("body")).build();

        DocumentSource.records(file, mapping).read(found);

        assertThat(found.documents)
                .containsExactly(new Document(
                        "rows.csv/a",
                        file.toRealPath().toString(),
                        "text/plain",
                        "First.",
                        Map.of("title", "One", "Year", "2024"),
                        List.of(new Place(0, Location.lines(2, 2)))));
        assertThat(found.skipped)
                .containsExactly(
                        "rows.csv/2 line 3 has no text", "rows.csv/3 line 4 has 2 cells, and the first line has 4");
    }

    @Test
    void linesOfJsonAreDocuments() throws IOException {
        write(
                "items.jsonl",
                "{\"id\":\"a\",\"title\":\"T\",\"text\":\"x\u2028y\",\"meta\":{\"year\":2026,\"tags\":[\"x, y\",1,true]},\"open\":false,\"none\":null}\n{\"id\":\"b\",\"text\":\"unterminated\n"
                        + "{\"id\":\"c\",\"title\":null,\"text\":\"\"}\n[1]\n\n");

        DocumentSource.folder(folder).read(found);

        assertThat(found.documents).extracting(Document::id).containsExactly("items.jsonl/a");
        assertThat(found.documents.get(0).text()).isEqualTo("x\u2028y");
        assertThat(found.documents.get(0).metadata())
                .isEqualTo(
                        Map.of("meta.year", "2026", "meta.tags", "[\"x, y\",1,true]", "open", "false", "title", "T"));
        assertThat(found.skipped).hasSize(3);
        assertThat(found.skipped.get(0)).startsWith("items.jsonl/2 line 2 is not JSON: ");
        assertThat(found.skipped.get(1)).isEqualTo("items.jsonl/3 line 3 has no text");
        assertThat(found.skipped.get(2)).isEqualTo("items.jsonl/4 line 4 is not a JSON object");
    }

    @Test
    void aRowThatCannotBeReadIsNamedAndTheOthersAreRead() {
        DocumentSource.stream(
                        "host",
                        () -> IntStream.rangeClosed(1, 9).mapToObj(i -> {
                            if (i == 5) {
                                throw new IllegalStateException("no connection");
                            }
                            return new Document("d" + i, "text/plain", "text " + i, Map.of());
                        }))
                .read(found);

        assertThat(found.skipped).contains("row 5 cannot be read: no connection");
        assertThat(found.documents).hasSizeGreaterThanOrEqualTo(4);
    }

    @Test
    void rowsOfAQueryAreDocuments() {
        DataSource database = database(List.of(
                List.of("1", "One", "First."),
                List.of("2", "Two", ""),
                List.of("!", "", ""),
                List.of("4", "Four", "Last.")));

        DocumentSource.query("db", database, "select 1", FieldMapping.DEFAULTS).read(found);

        assertThat(found.documents).extracting(Document::id).containsExactly("1", "4");
        assertThat(found.documents.get(0).metadata()).containsExactly(Map.entry("title", "One"));
        assertThat(found.skipped).containsExactly("row 2 has no text", "row 3 cannot be read: broken row");
    }

    @Test
    void aQueryThatFailsNamesItsSource() {
        DataSource none = proxy(DataSource.class, (self, method, arguments) -> {
            throw new SQLException("refused");
        });

        assertThatThrownBy(() -> DocumentSource.query("db", none, "select 1", FieldMapping.DEFAULTS)
                        .read(found))
                .isInstanceOf(StorageException.class)
                .hasMessage("Query of source db failed: refused; check the query and the connection");
    }

    @Test
    void pagesOfAMirrorHaveTheirAddresses() throws IOException {
        write(
                "sitemap.xml",
                "<urlset><url><loc>https://example.org/a.md</loc></url><url><loc>https://example.org/b?x=1&amp;y=2</loc></url>"
                        + "<url><loc>https://example.org/../secret.md</loc></url></urlset>");
        write("a.md", "# A");
        Files.writeString(folder.resolveSibling("secret.md"), "secret");

        DocumentSource.web(folder, "https://example.org/").read(found);

        assertThat(found.documents)
                .extracting(Document::id, Document::path)
                .containsExactly(org.assertj.core.groups.Tuple.tuple("a.md", "https://example.org/a.md"));
        assertThat(found.skipped)
                .containsExactly(
                        "b?x=1&y=2 is not in the mirror " + folder, "../secret.md is not in the mirror " + folder);
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text, StandardCharsets.UTF_8);
    }

    /** A database of one table; a row that begins with an exclamation mark breaks. */
    private static DataSource database(List<List<String>> rows) {
        List<String> names = List.of("id", "title", "body");
        int[] at = {-1};
        ResultSetMetaData columns = proxy(
                ResultSetMetaData.class,
                (self, method, arguments) ->
                        method.getName().equals("getColumnCount") ? names.size() : names.get((int) arguments[0] - 1));
        ResultSet result = proxy(ResultSet.class, (self, method, arguments) -> switch (method.getName()) {
            case "next" -> ++at[0] < rows.size();
            case "getMetaData" -> columns;
            case "getString" -> {
                String value = rows.get(at[0]).get((int) arguments[0] - 1);
                if (value.equals("!")) {
                    throw new SQLException("broken row");
                }
                yield value;
            }
            default -> null;
        });
        PreparedStatement statement = proxy(
                PreparedStatement.class,
                (self, method, arguments) -> method.getName().equals("executeQuery") ? result : null);
        Connection connection = proxy(Connection.class, (self, method, arguments) -> switch (method.getName()) {
            case "prepareStatement" -> statement;
            case "getAutoCommit" -> true;
            default -> null;
        });
        return proxy(DataSource.class, (self, method, arguments) -> connection);
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    /** Collects what a source passes on. */
    private static final class Collected implements DocumentSink {
        private final List<Document> documents = new ArrayList<>();
        private final List<String> skipped = new ArrayList<>();
        private final List<String> notices = new ArrayList<>();

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
        public void unread(String id, String kind, String reason) {}

        @Override
        public void notice(String id, String message) {
            notices.add(id + " " + message);
        }
    }
}
