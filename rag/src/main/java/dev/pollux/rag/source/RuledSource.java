package dev.pollux.rag.source;

import dev.pollux.retrieval.Document;
import java.util.List;

/** A source whose documents get further metadata. */
final class RuledSource implements DocumentSource {

    private final DocumentSource source;
    private final List<MetadataRule> rules;

    RuledSource(DocumentSource source, List<MetadataRule> rules) {
        this.source = source;
        this.rules = List.copyOf(rules);
    }

    @Override
    public String name() {
        return source.name();
    }

    @Override
    public String path() {
        return source.path();
    }

    @Override
    public String link() {
        return source.link();
    }

    @Override
    public boolean isNamed() {
        return source.isNamed();
    }

    @Override
    public void read(DocumentSink sink) {
        source.read(new DocumentSink() {
            @Override
            public void expect(long documents) {
                sink.expect(documents);
            }

            @Override
            public void document(Document document) {
                sink.document(MetadataRule.applied(rules, document));
            }

            @Override
            public void document(Document document, FileVersion version) {
                sink.document(MetadataRule.applied(rules, document), version.with(rules.toString()));
            }

            @Override
            public boolean isUnchanged(String id, FileVersion version) {
                return sink.isUnchanged(id, version.with(rules.toString()));
            }

            @Override
            public void complete(String id, FileVersion version) {
                sink.complete(id, version.with(rules.toString()));
            }

            @Override
            public void skipped(String id, String reason) {
                sink.skipped(id, reason);
            }

            @Override
            public void failedRecord(String id, String reason) {
                sink.failedRecord(id, reason);
            }

            @Override
            public void unread(String id, String kind, String reason) {
                sink.unread(id, kind, reason);
            }

            @Override
            public void notice(String id, String message) {
                sink.notice(id, message);
            }
        });
    }
}
