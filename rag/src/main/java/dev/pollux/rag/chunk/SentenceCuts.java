package dev.pollux.rag.chunk;

import dev.pollux.internal.text.Reading;
import dev.pollux.internal.text.Sentence;
import dev.pollux.internal.text.Sentences;
import java.util.ArrayList;
import java.util.List;

/** The sentences of a document as adjacent parts that contain every character of its parts. */
final class SentenceCuts {

    private SentenceCuts() {}

    /** The parts, those of prose and lists cut before each sentence. */
    static List<Part> of(Reading reading, List<Part> parts) {
        int[] starts = Sentences.of(reading).stream().mapToInt(Sentence::start).toArray(); // (sentences)
        List<Part> cut = new ArrayList<>();
        int next = 0;
        for (Part part : parts) {
            int from = part.start();
            boolean apart = part.apart();
            boolean splits = part.kind() == Part.Kind.PROSE || part.kind() == Part.Kind.LIST;
            while (next < starts.length && starts[next] < part.end()) {
                int start = starts[next++];
                boolean filled =
                        start > from && !reading.text().substring(from, start).isBlank();
                if (splits && filled) {
                    cut.add(new Part(part.kind(), from, start, part.path(), apart));
                    from = start;
                    apart = false;
                }
            }
            cut.add(new Part(part.kind(), from, part.end(), part.path(), apart));
        }
        return cut;
    }
}
