package dev.pollux.inference.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates that try to take the process down end in a {@link TemplateException}, also on a small stack. */
class HostileTemplatesTest {

    private static final int SMALL_STACK = 512 * 1024;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ 'x' * 10**9 }}",
                "{{ ['x'] * 10**9 }}",
                "{{ 9**99999 }}",
                "{{ 'a'.center(10**9) }}",
                "{{ 'a'|center(10**9) }}",
                "{{ '%1000000000d' % 1 }}",
                "{{ '%.100000f' % 1.5 }}",
                "{{ '{:1000000000}'.format(1) }}",
                "{{ 'a'.ljust(2**70) }}",
                "{{ '\t'.expandtabs(10**9) }}",
                "{{ 'a'|indent(10**9) }}",
                "{{ [1]|batch(10**9, 1)|list }}",
                "{{ [1]|slice(10**9)|list }}",
                "{{ range(10**9) }}",
                "{{ [1]|tojson(indent=10**9) }}",
                "{{ strftime_now('%99999999999d') }}",
                "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
                "{% for i in range(100000) %}{{ 'x' * 1000 }}{% endfor %}",
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f()|upper ~ 'x' }}{% endmacro %}{{ f() }}",
                "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
                "{% set n = namespace(x=[]) %}{% for i in range(9999) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }}",
                "{% set n = namespace(x=[]) %}{% for i in range(9999) %}{% set n.x = [n.x] %}{% endfor %}"
                        + "{{ n.x|tojson }}",
                "{% set n = namespace(x=()) %}{% for i in range(9999) %}{% set n.x = (n.x,) %}{% endfor %}"
                        + "{{ {n.x: 1} }}",
                "{% set n = namespace(x=[1]) %}{% for i in range(9999) %}{% set n.x = n.x|unique %}{% endfor %}"
                        + "{{ n.x|list }}",
                "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
                        + "{{ n.x == [n.x[0], [1]] }}{{ n.x }}",
                "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
                "{% set n = namespace(x={}) %}{% for i in range(60) %}{% set n.x = {1: n.x, 2: n.x} %}{% endfor %}"
                        + "{{ n.x|pprint }}",
                "{% set n = namespace() %}{% set n.n = n %}{{ n }}",
                "{% set x = 'a' * 1000000 %}{% for i in range(100000) %}{{ x is upper }}{% endfor %}",
                "{% set b = 2 ** 14000 %}{% for i in range(100000) %}{% set x = b * b // b %}{% endfor %}",
                "{{ ''.__class__.__base__.__subclasses__() }}",
                "{{ '{0.__class__.__mro__}'.format('') }}",
                "{{ [].append(1) }}",
                "{% include '/etc/passwd' %}"
            })
    void endsInATemplateException(String template) throws InterruptedException {
        assertThat(failureOnASmallStack(template)).isInstanceOf(TemplateException.class);
    }

    @Test
    void deepNestingIsRefused() throws InterruptedException {
        List<String> templates = List.of(
                "{{ " + "(".repeat(100_000) + "1" + ")".repeat(100_000) + " }}",
                "{{ " + "[".repeat(100_000),
                "{{ " + "-".repeat(100_000) + "1 }}",
                "{{ " + "not ".repeat(100_000) + "1 }}",
                "{{ 1" + "+1".repeat(100_000) + " }}",
                "{{ x" + "|string".repeat(100_000) + " }}",
                "{{ 1" + " if 1 else 1".repeat(50_000) + " }}",
                "{% if 1 %}".repeat(10_000),
                "{% set " + "(".repeat(100_000));
        for (String template : templates) {
            assertThat(failureOnASmallStack(template))
                    .as(template.substring(0, 20))
                    .isInstanceOf(TemplateException.class);
        }
    }

    @Test
    void searchingIsLinear() {
        assertThat(render("{{ ('a' * 1000000).find('a' * 500000 ~ 'b') }}")).isEqualTo("-1");
        assertThat(render("{{ (('a' * 20) * 50000).rsplit('a' * 20, 40000)|length }}"))
                .isEqualTo("40001");
        assertThat(render("{{ ('a' * 1000000).rfind('a' * 500000 ~ 'b') }}")).isEqualTo("-1");
        assertThat(render("{{ ('<' * 1000000)|striptags|length }}")).isEqualTo("1000000");
    }

    @Test
    void mutatedTemplatesGiveTextOrATemplateException() {
        long seed = 20260115;
        Random random = new Random(seed);
        String source = "{% macro m(a, b=2) %}{{ a ~ b|string }}{% endmacro %}{% for x in [1, 2.5, 'a', none] if x %}"
                + "{% set y = x if x is string else {'k': [x, (x,)]} %}{{ loop.index }}{{ y|tojson }}{{ m(y, b=y['k'][0:1]) }}"
                + "{%- else -%}{{ '%s' % missing }}{# c #}{% endfor %}{% raw %}{{ x }}{% endraw %}";
        String alphabet = "{}%#()[]|'\"-+*/.:,=<>~ \nxy01_";
        for (int i = 0; i < 5000; i++) {
            StringBuilder mutated = new StringBuilder(source);
            for (int n = random.nextInt(4); n >= 0; n--) {
                int at = random.nextInt(mutated.length());
                switch (random.nextInt(3)) {
                    case 0 -> mutated.setCharAt(at, alphabet.charAt(random.nextInt(alphabet.length())));
                    case 1 -> mutated.deleteCharAt(at);
                    default -> mutated.insert(at, source, at / 2, at / 2 + 12);
                }
            }
            try {
                render(mutated.toString());
            } catch (TemplateException expected) {
                assertThat(expected.line()).as("seed " + seed + ", " + mutated).isPositive();
            }
        }
    }

    @Test
    void limitsAreNamedWhenTheyAreReached() {
        TemplateLimits limits = TemplateLimits.builder().maxOutput(10).build();
        ChatTemplate template = ChatTemplate.parse("{{ 'x' * 11 }}", limits);
        assertThatThrownBy(() -> template.render(ChatTemplate.Input.builder().build()))
                .isInstanceOf(TemplateException.class)
                .hasMessage("Chat template line 1, column 8: the text rendered exceeds maxOutput 10; "
                        + "raise it in TemplateLimits if the template is trusted");
        assertThatThrownBy(() -> ChatTemplate.parse(
                        "abc", TemplateLimits.builder().maxSourceLength(2).build()))
                .isInstanceOf(TemplateException.class)
                .hasMessage("Chat template line 1, column 1: the source has 3 characters, "
                        + "which exceeds maxSourceLength 2");
    }

    @Test
    void limitsOutOfRangeAreRefused() {
        assertThat(TemplateLimits.builder().build()).isEqualTo(TemplateLimits.DEFAULTS);
        assertThatThrownBy(() -> TemplateLimits.builder().maxDepth(5).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("maxDepth must be in [10, 2000] but was 5");
        assertThatThrownBy(() -> TemplateLimits.builder().maxSteps(0).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("maxSteps must be at least 1 but was 0");
    }

    private static String render(String template) {
        return ChatTemplate.parse(template).render(ChatTemplate.Input.builder().build());
    }

    private static Throwable failureOnASmallStack(String template) throws InterruptedException {
        AtomicReference<Throwable> failure = new AtomicReference<>(new AssertionError("it was rendered"));
        Thread thread = new Thread(
                null,
                () -> {
                    try {
                        render(template);
                    } catch (Throwable e) {
                        failure.set(e);
                    }
                },
                "small stack",
                SMALL_STACK);
        thread.start();
        thread.join();
        return failure.get();
    }
}
