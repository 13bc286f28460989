package dev.pollux.rag.source;

import dev.pollux.retrieval.Document;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

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
    public Optional<List<MetadataRule>> metadataRules() {
        return Optional.of(rules);
    }

    @Override
    public DocumentSource withMetadata(List<MetadataRule> further) {
        return new RuledSource(
                source, Stream.concat(rules.stream(), further.stream()).toList());
    }

    @Override
    public void read(DocumentSink given) {
        if (rules.isEmpty()) {
            source.read(given);
        } else {
            source.read(ruled(given));
        }
    }

    private DocumentSink ruled(DocumentSink sink) {
        return new DocumentSink() {
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
        };
    }
}
