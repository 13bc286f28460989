package dev.pollux.samples.cli;

import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.KnownSource;
import dev.pollux.rag.knowledge.SkippedFile;
import dev.pollux.rag.knowledge.SkippedFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Notes about omitted content and missing sources of a knowledge base. */
final class SourceNotes {

    private final Path knowledge;
    private final List<KnownSource> sources;

    SourceNotes(KnowledgeBase knowledge) {
        this.knowledge = knowledge.folder();
        this.sources = knowledge.sources();
    }

    /** Reports missing sources and omitted content, which matter most if there is no answer. */
    void print(Output output, boolean answered) {
        missing(output);
        skipped(output, answered);
    }

    void missing(Output output) {
        for (KnownSource source : sources) {
            if (source.missing()) {
                output.note(source.path() + " is gone, and what was read of it is still found; to take it out: pollux"
                        + " knowledge remove " + quoted(knowledge.toString()) + " " + quoted(source.name()));
            }
        }
    }

    void skipped(Output output, boolean answered) {
        SkippedSum sum = new SkippedSum();
        sources.forEach(sum::add);
        String summary = sum.summary(!answered);
        if (!summary.isEmpty()) {
            output.note(answered ? "not read: " + summary : "the answer may be in what was not read: " + summary);
        }
    }

    /** Adds omitted content to a JSON object. */
    void add(Map<String, Object> json) {
        List<Map<String, Object>> files = new ArrayList<>();
        List<Map<String, Object>> missing = new ArrayList<>();
        for (KnownSource source : sources) {
            for (SkippedFile file : source.skipped().files()) {
                if (files.size() < SkippedFiles.MOST_FILES) {
                    files.add(shape(source, file));
                }
            }
            if (source.missing()) {
                Map<String, Object> gone = new LinkedHashMap<>();
                gone.put("source", source.name());
                gone.put("path", source.path());
                missing.add(gone);
            }
        }
        json.put("skippedFiles", files);
        json.put("missingSources", missing);
    }

    static Map<String, Object> shape(KnownSource source, SkippedFile file) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("file", source.path().isEmpty() ? file.file() : path(source.path(), file.file()));
        json.put("reason", file.reason());
        return json;
    }

    private static String path(String folder, String file) {
        boolean itself = folder.equals(file) || folder.endsWith("/" + file);
        return itself ? folder : folder + "/" + file;
    }

    private static String quoted(String word) {
        return word.matches("[\\w./~+@%-]+") ? word : "\"" + word + "\"";
    }

    /** The omissions of several sources. */
    private static final class SkippedSum {

        private final Map<String, Integer> kinds = new TreeMap<>();
        private int unreadable;
        private int other;

        void add(KnownSource source) {
            source.skipped().kinds().forEach((kind, count) -> kinds.merge(kind, count, Integer::sum));
            unreadable += source.skipped().unreadable();
            other += source.skipped().other();
        }

        /** @param all whether files without a document's extension are reported, too */
        String summary(boolean all) {
            return new SkippedFiles(kinds, unreadable, all ? other : 0, List.of()).summary();
        }
    }
}
