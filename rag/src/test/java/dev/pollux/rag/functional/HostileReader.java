package dev.pollux.rag.functional;

import dev.pollux.rag.source.DocumentReader;
import dev.pollux.rag.source.DocumentSink;
import dev.pollux.rag.source.SourceFile;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Place;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Reads files that end in {@code hostile}, and does what they say: end the JVM, take its memory, never end, or be read. */
public final class HostileReader implements DocumentReader {

    @Override
    public Map<String, String> kinds() {
        return Map.of("hostile", "HOSTILE");
    }

    @Override
    public void read(SourceFile file, DocumentSink sink) {
        String text = text(file);
        switch (text) {
            case "end" -> Runtime.getRuntime().halt(134);
            case "memory" -> exhaust();
            case "sleep" -> sleep();
            case "throw" -> throw new IllegalStateException("no such part");
            case "skip" -> sink.skipped(file.id(), "is encrypted");
            case "print" -> System.out.println("a line that is no frame");
            default -> {
                List<Place> places = List.of(
                        new Place(0, Location.pages(1, 2)),
                        new Place(1, Location.cells("Sheet", "A1:B2")),
                        new Place(2, Location.lines(3, 4)),
                        new Place(3, Location.whole()));
                sink.notice(file.id(), "is odd");
                sink.document(new Document(
                        file.id(),
                        file.path(),
                        "text/plain",
                        text,
                        Map.of("pid", "" + ProcessHandle.current().pid()),
                        places));
            }
        }
    }

    private static String text(SourceFile file) {
        try {
            return Files.readString(file.file());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void exhaust() {
        List<long[]> all = new ArrayList<>();
        while (all.size() < Integer.MAX_VALUE) {
            all.add(new long[1 << 20]);
        }
    }

    private static void sleep() {
        try {
            Thread.sleep(600_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
