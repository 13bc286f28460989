package dev.pollux.inference.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.generation.Message;
import dev.pollux.inference.template.ChatTemplate.Input;
import dev.pollux.inference.template.ChatTemplate.Rendering;
import dev.pollux.inference.template.ChatTemplate.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What comes from the input is shown in «», all else is the template's. */
class OriginsTest {

    @Test
    void contentIsInputAndTheTemplateIsNot() {
        assertThat(shown("<s>{{ x }}</s>", "hi")).isEqualTo("<s>«hi»</s>");
        assertThat(shown("{{ '<s>' + x ~ '</s>' }}{{ 'x' }}", "hi")).isEqualTo("<s>«hi»</s>x");
        assertThat(shown("{% set y = 'hi' %}{{ y }}{{ x }}", "hi")).isEqualTo("hi«hi»");
    }

    @Test
    void operationsKeepTheOriginOfEachCharacter() {
        assertThat(shown("{{ ('[' + x + ']')[1:-1] }}{{ ('[' + x)[0] }}{{ x[1] }}", "abc"))
                .isEqualTo("«abc»[«b»");
        assertThat(shown("{{ (' ' + x)|trim }}{{ x.strip() }}{{ ('-' ~ x ~ '-').strip('-') }}", " a "))
                .isEqualTo("«aa a »");
        assertThat(shown("{{ ('a' + x + 'b').split(',') | join('|') }}", "1,2")).isEqualTo("a«1»|«2»b");
        assertThat(shown("{{ 'a{}b'.format(x) }}{{ 'a%sb' % x }}{{ '%s|%s'|format(x, 'y') }}", "1"))
                .isEqualTo("a«1»ba«1»b«1»|y");
        assertThat(shown("{{ '<x>'.replace('x', x) }}{{ x.replace('b', '<b>') }}", "abc"))
                .isEqualTo("<«abc»>«a»<b>«c»");
        assertThat(shown("{{ ['<s>', x, '</s>'] | join('-') }}{{ '+'.join([x, 'b']) }}", "a"))
                .isEqualTo("<s>-«a»-</s>«a»+b");
        assertThat(shown("{{ ('<S>' ~ x) | lower }}{{ (x ~ '</s>').upper() }}", "aB"))
                .isEqualTo("<s>«ab»«AB»</S>".replace("»«", ""));
        assertThat(shown("{{ x * 2 }}{{ '-' * 2 }}{{ 'a' if x else 'b' }}", "1"))
                .isEqualTo("«11»--a");
        assertThat(shown("{{ '<s>'.replace(x, x) }}{{ '<s>'.split(x)[0] }}", "zz"))
                .isEqualTo("<s><s>");
    }

    @Test
    void splittingAtAMarkerKeepsWhatTheTemplateWritesAroundThePartsItsOwn() {
        String template = "{% set parts = x.split('</think>') %}"
                + "<think>{{ parts[0].split('<think>')[-1].strip('\\n') }}</think>{{ parts[-1].lstrip('\\n') }}";
        assertThat(shown(template, "<think>\nhm\n</think>\n\nyes <|end|>"))
                .isEqualTo("<think>«hm»</think>«yes <|end|>»");
    }

    @Test
    void macrosBlocksAndLoopsKeepOrigins() {
        assertThat(shown("{% macro m(y) %}<{{ y }}>{% endmacro %}{{ m(x) }}{{ m('b') }}{{ m(x)|trim }}", "a"))
                .isEqualTo("<«a»><b><«a»>");
        assertThat(shown("{% set y %}<{{ x }}>{% endset %}{{ y }}{% filter upper %}<{{ x }}>{% endfilter %}", "a"))
                .isEqualTo("<«a»><«A»>");
        assertThat(shown("{% for c in x %}{{ c }}-{% endfor %}", "ab")).isEqualTo("«a»-«b»-");
        assertThat(shown("{% set ns = namespace(t='<') %}{% set ns.t = ns.t + x %}{{ ns.t }}", "a"))
                .isEqualTo("<«a»");
        assertThat(shown(
                        "{% call(y) m() %}<{{ y }}>{% endcall %}", "a", "{% macro m() %}{{ caller(x) }}{% endmacro %}"))
                .isEqualTo("<«a»>");
    }

    @Test
    void valuesPrintedAsJsonOrAsTheyAreKeepOrigins() {
        assertThat(shown("{{ {'k': x} | tojson }}{{ [x] }}", "a\"<s>"))
                .isEqualTo("{\"k\": \"«a\\\"<s>»\"}['«a\"<s>»']");
        Rendering rendering = ChatTemplate.parse("{{ tools | tojson }}")
                .renderWithSpans(
                        Input.builder().tools(List.of(Map.of("name", "a<s>"))).build());
        assertThat(shown(rendering)).isEqualTo("[{\"«name»\": \"«a<s>»\"}]");
    }

    @Test
    void rolesAndTheModelsOwnTokensAreTheTemplates() {
        Input input = Input.builder()
                .conversation(List.of(Message.user("hi"), new Message("a|><|b", "no")))
                .bosToken("<s>")
                .eosToken("</s>")
                .variable("pad_token", "<pad>")
                .variable("date", "today")
                .documents(List.of(Map.of("text", "doc")))
                .build();
        String template = "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{{ m['content'] }}{% endfor %}"
                + "{{ eos_token }}{{ pad_token }}{{ date }}{{ documents[0].text }}";
        assertThat(shown(ChatTemplate.parse(template).renderWithSpans(input)))
                .isEqualTo("<s><|user|>«hi»<|«a|><|b»|>«no»</s><pad>«todaydoc»");
    }

    @Test
    void aContinuedMessageEndsItsMark() {
        Input input = Input.builder()
                .conversation(List.of(Message.assistant("Once ")))
                .continueFinalMessage(true)
                .build();
        assertThat(shown(ChatTemplate.parse("<s>{{ messages[0].content }}</s>").renderWithSpans(input)))
                .isEqualTo("<s>«Once »");
    }

    @Test
    void marksCountAsWhatATemplateAllocates() {
        TemplateLimits limits = TemplateLimits.builder().maxAllocation(100_000).build();
        Input input = Input.builder().variable("x", "a").build();
        assertThat(ChatTemplate.parse("{{ x * 50000 }}", limits)
                        .renderWithSpans(input)
                        .inputs())
                .containsExactly(new Span(0, 50_000));
        ChatTemplate many = ChatTemplate.parse("{{ (x ~ '-') * 25000 }}", limits);
        assertThatThrownBy(() -> many.renderWithSpans(input))
                .isInstanceOf(TemplateException.class)
                .hasMessageEndingWith(
                        "what the template creates exceeds maxAllocation 100000; raise it in TemplateLimits if"
                                + " the template is trusted");
    }

    /** An operation added later must not lose the marks either. */
    @Test
    void noFilterAndNoMethodOfStringsGivesInputOutAsTheTemplates() {
        Set<String> calls = new TreeSet<>();
        for (String argument : List.of("", "'w'", "'-'", "5", "30", "30, true", "'w', x", "x, x")) {
            Filters.names().forEach(name -> calls.add("x|" + name + "(" + argument + ")"));
            Filters.names().forEach(name -> calls.add("[x, 'a']|" + name + "(" + argument + ")"));
            Filters.names().forEach(name -> calls.add("{x: x}|" + name + "(" + argument + ")"));
            Filters.names().forEach(name -> calls.add("'{0}%s'|" + name + "(x)"));
            StringMethods.names().forEach(name -> calls.add("x." + name + "(" + argument + ")"));
            StringMethods.names().forEach(name -> calls.add("'{0}b%s'." + name + "(x)"));
            StringMethods.names().forEach(name -> calls.add("(x|safe)." + name + "(" + argument + ")"));
            StringMethods.names().forEach(name -> calls.add("' '." + name + "([x, x])"));
        }
        List<String> leaks = new ArrayList<>();
        int rendered = 0;
        for (String call : calls) {
            for (String template :
                    List.of("{{ %s }}", "{{ (%s)|list }}", "{{ (%s)|list|join }}", "{{ (%s)|pprint }}")) {
                try {
                    String shown = shown(template.formatted(call), "QZX QZ<X> QZ-XQ");
                    rendered++;
                    if (shown.replaceAll("«[^»]*»", "").matches("(?is).*[qzx](?!att|ml).*")) {
                        leaks.add(template.formatted(call) + " → " + shown);
                    }
                } catch (TemplateException e) {
                    // Not every call makes sense.
                }
            }
        }
        assertThat(leaks).isEmpty();
        assertThat(rendered).isGreaterThan(calls.size());
    }

    private static String shown(String template, String x) {
        return shown(template, x, "");
    }

    private static String shown(String template, String x, String before) {
        Input input = Input.builder().variable("x", x).build();
        return shown(ChatTemplate.parse(before + template).renderWithSpans(input));
    }

    private static String shown(Rendering rendering) {
        StringBuilder shown = new StringBuilder(rendering.text());
        List<Span> spans = new ArrayList<>(rendering.inputs());
        java.util.Collections.reverse(spans);
        spans.forEach(span -> shown.insert(span.end(), '»').insert(span.begin(), '«'));
        return shown.toString();
    }
}
