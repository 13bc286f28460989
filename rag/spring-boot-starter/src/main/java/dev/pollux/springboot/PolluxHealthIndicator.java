package dev.pollux.springboot;

import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.KnowledgeStats;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;

/**
 * Up while the model is open and the newest commit of the knowledge base can be read; runs no model. <em>Thread-safe.</em>
 */
final class PolluxHealthIndicator extends AbstractHealthIndicator {

    private final @Nullable DrainingGenerator generator;
    private final @Nullable KnowledgeBase knowledge;

    PolluxHealthIndicator(@Nullable DrainingGenerator generator, @Nullable KnowledgeBase knowledge) {
        super("Pollux cannot read its knowledge base");
        this.generator = generator;
        this.knowledge = knowledge;
    }

    @Override
    protected void doHealthCheck(Health.Builder builder) {
        builder.up();
        if (generator != null) {
            Map<String, Object> details = new LinkedHashMap<>();
            details.put("model", generator.info().name());
            details.put("contextLength", generator.info().contextLength());
            details.put("running", generator.running());
            builder.withDetail("generator", details);
            if (generator.isClosed()) {
                builder.outOfService();
            }
        }
        if (knowledge != null) {
            KnowledgeStats stats = knowledge.stats();
            Map<String, Object> details = new LinkedHashMap<>();
            details.put("folder", knowledge.folder().toString());
            details.put("embedder", stats.embedder());
            details.put("documents", stats.documents());
            details.put("passages", stats.passages());
            builder.withDetail("knowledge", details);
        }
    }
}
