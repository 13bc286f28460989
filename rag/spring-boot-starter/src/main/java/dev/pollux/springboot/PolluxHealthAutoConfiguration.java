package dev.pollux.springboot;

import dev.pollux.rag.knowledge.KnowledgeBase;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.AnyNestedCondition;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;

/** The health of the beans of Pollux, as {@code pollux}; {@code management.health.pollux.enabled=false} leaves it out. */
@AutoConfiguration(after = PolluxAutoConfiguration.class)
@ConditionalOnClass(HealthIndicator.class)
@ConditionalOnEnabledHealthIndicator("pollux")
public final class PolluxHealthAutoConfiguration {

    PolluxHealthAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean(name = "polluxHealthIndicator")
    @Conditional(SomethingIsOpen.class)
    PolluxHealthIndicator polluxHealthIndicator(
            ObjectProvider<DrainingGenerator> generator, ObjectProvider<KnowledgeBase> knowledge) {
        return new PolluxHealthIndicator(generator.getIfUnique(), knowledge.getIfUnique());
    }

    /** There is a generator or a knowledge base. */
    static final class SomethingIsOpen extends AnyNestedCondition {

        SomethingIsOpen() {
            super(ConfigurationPhase.REGISTER_BEAN);
        }

        @ConditionalOnBean(DrainingGenerator.class)
        static final class Generating {}

        @ConditionalOnBean(KnowledgeBase.class)
        static final class Knowing {}
    }
}
