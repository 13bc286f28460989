package dev.pollux.rag.source;

import dev.pollux.StorageException;
import dev.pollux.internal.Interrupts;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Location;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;

/** The rows of a database query. */
final class QuerySource implements DocumentSource {

    private static final int FETCHED = 1_000;

    /** So many rows in a row that cannot be read, and the query is given up. */
    private static final int MOST_FAILURES = 3;

    private final String name;
    private final DataSource database;
    private final String query;
    private final FieldMapping mapping;

    QuerySource(String name, DataSource database, String query, FieldMapping mapping) {
        this.name = name;
        this.database = database;
        this.query = query;
        this.mapping = mapping;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void read(DocumentSink sink) {
        try (Connection connection = database.getConnection()) {
            connection.setReadOnly(true);
            boolean commits = connection.getAutoCommit();
            connection.setAutoCommit(false); // drivers such as PostgreSQL's read all rows at once otherwise
            try (PreparedStatement statement =
                    connection.prepareStatement(query, ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY)) {
                statement.setFetchSize(FETCHED);
                try (ResultSet rows = statement.executeQuery()) {
                    rows(rows, sink);
                }
            } finally {
                connection.rollback();
                connection.setAutoCommit(commits);
            }
        } catch (SQLException e) {
            if (Interrupts.isCauseOf(e)) {
                throw Interrupts.cancelled(e);
            }
            throw new StorageException(
                    "Query of source " + name + " failed: " + e.getMessage() + "; check the query and the connection",
                    e);
        }
    }

    private void rows(ResultSet rows, DocumentSink sink) throws SQLException {
        ResultSetMetaData columns = rows.getMetaData();
        int failures = 0;
        long number = 0;
        while (failures < MOST_FAILURES) {
            number++;
            try {
                if (!rows.next()) {
                    return;
                }
                Map<String, String> fields = fields(rows, columns);
                failures = 0;
                row(fields, number, sink);
            } catch (SQLException e) {
                failures++;
                sink.failedRecord("row " + number, "cannot be read: " + e.getMessage());
            }
        }
        sink.failedRecord("/", "is read no further after " + MOST_FAILURES + " rows in a row that cannot be read");
    }

    private void row(Map<String, String> fields, long number, DocumentSink sink) {
        Optional<Document> document = mapping.document(fields, "", number, "", Location.whole());
        if (document.isPresent()) {
            sink.document(document.get());
        } else {
            sink.failedRecord("row " + number, "has no text");
        }
    }

    private static Map<String, String> fields(ResultSet row, ResultSetMetaData columns) throws SQLException {
        Map<String, String> fields = new LinkedHashMap<>();
        for (int i = 1; i <= columns.getColumnCount(); i++) {
            String value = row.getString(i);
            fields.put(columns.getColumnLabel(i), value == null ? "" : value);
        }
        return fields;
    }

    @Override
    public String toString() {
        return "query " + name;
    }
}
