package dev.pollux.rag.evaluate;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.internal.Json;
import dev.pollux.rag.chunk.Chunker;
import dev.pollux.retrieval.Document;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Documents, queries and the relevance of documents to queries. <em>Immutable.</em>
 *
 * @param name display name
 * @param documents the documents to search
 * @param queries text by query id, in the order of their file; only those with judgements
 * @param judgements by query id: grade by document id
 */
public record RetrievalCollection(
        String name,
        List<Document> documents,
        Map<String, String> queries,
        Map<String, Map<String, Integer>> judgements) {

    public RetrievalCollection {
        documents = List.copyOf(documents);
        queries = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(queries));
        judgements = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(judgements));
    }

    /**
     * Reads a folder in the layout of BEIR (Thakur et al., arXiv:2104.08663): {@code corpus.jsonl} with {@code _id},
     * {@code title}, {@code text}; {@code queries.jsonl} with {@code _id}, {@code text}; {@code qrels/test.tsv} with a
     * head line and query id, document id, grade. A document's text is its title, a line break and its text.
     *
     * @throws StorageException if a file cannot be read
     * @throws MalformedFileException if a line is not of this form; the message names it
     */
    public static RetrievalCollection beir(Path folder) {
        Map<String, Map<String, Integer>> judgements = new LinkedHashMap<>();
        lines(folder.resolve("qrels/test.tsv"), (line, number) -> {
            if (number > 1) {
                String[] fields = line.split("\t", -1);
                judgements
                        .computeIfAbsent(fields[0], id -> new LinkedHashMap<>())
                        .put(fields[1], Integer.parseInt(fields[2].strip()));
            }
        });
        Map<String, String> queries = new LinkedHashMap<>();
        lines(folder.resolve("queries.jsonl"), (line, number) -> {
            Map<?, ?> query = object(line);
            String id = string(query, "_id");
            if (judgements.containsKey(id)) {
                queries.put(id, string(query, "text"));
            }
        });
        List<Document> documents = new ArrayList<>();
        lines(folder.resolve("corpus.jsonl"), (line, number) -> {
            Map<?, ?> entry = object(line);
            String title = entry.get("title") instanceof String given ? given : "";
            String text = string(entry, "text");
            String whole = title.isEmpty() ? text : title + "\n" + text;
            Map<String, String> metadata = title.isBlank() ? Map.of() : Map.of(Chunker.TITLE, title);
            documents.add(new Document(string(entry, "_id"), "text/plain", whole, metadata));
        });
        return new RetrievalCollection(String.valueOf(folder.getFileName()), documents, queries, judgements);
    }

    private static Map<?, ?> object(String line) {
        if (Json.parse(ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8)), "it") instanceof Map<?, ?> object) {
            return object;
        }
        throw new IllegalArgumentException("it is not a JSON object");
    }

    private static String string(Map<?, ?> entry, String field) {
        if (entry.get(field) instanceof String value) {
            return value;
        }
        throw new IllegalArgumentException("it has no string '" + field + "'");
    }

    /** Takes one line of a file. */
    @FunctionalInterface
    private interface LineReader {
        void read(String line, int number);
    }

    private static void lines(Path file, LineReader reader) {
        int number = 0;
        try (BufferedReader in = Files.newBufferedReader(file)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                number++;
                if (!line.isBlank()) {
                    reader.read(line, number);
                }
            }
        } catch (CharacterCodingException e) {
            throw new MalformedFileException(file + " is not UTF-8", e);
        } catch (IOException e) {
            throw new StorageException(
                    file + " cannot be read; a BEIR folder has corpus.jsonl, queries.jsonl and" + " qrels/test.tsv", e);
        } catch (MalformedFileException | IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
            throw new MalformedFileException(file + " is malformed in line " + number + ": " + e.getMessage(), e);
        }
    }
}
