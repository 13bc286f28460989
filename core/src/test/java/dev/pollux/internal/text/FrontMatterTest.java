package dev.pollux.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class FrontMatterTest {

    @Test
    void theElementsOfListsAreToldFromTheirCommas() {
        assertThat(FrontMatter.fields(
                        "---\na: [x, \"y, z\", 'it''s']\nb:\n- one, two\n- three\nc: [[1], 2]\nd: []\n---\n",
                        list -> String.join("|", list)))
                .containsExactly(Map.entry("a", "x|y, z|it''s"), Map.entry("b", "one, two|three"));
    }

    @Test
    void yamlGivesScalarsAndFlatLists() {
        assertThat(FrontMatter.fields("""
                        ---
                        Title: "A: b"
                        date: 2025-03-04 # fixed
                        tags: [x, 'y']
                        authors:
                          - Ann
                          - Bob
                        summary: >
                          one
                          two
                        nested:
                          key: value
                        empty:
                        ---
                        text: no
                        """))
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "title",
                        "A: b",
                        "date",
                        "2025-03-04",
                        "tags",
                        "x, y",
                        "authors",
                        "Ann, Bob",
                        "summary",
                        "one two"));
    }

    @Test
    void tomlGivesTheOutermostLevel() {
        assertThat(
                        FrontMatter.fields(
                                "+++\ntitle = \"A\"\ndate = 2024-05-06\ntags = [\n  \"x\",\n  \"y\",\n]\n[more]\nkey = 1\n+++\n"))
                .containsExactlyInAnyOrderEntriesOf(Map.of("title", "A", "date", "2024-05-06", "tags", "x, y"));
    }

    @Test
    void whatIsNoneGivesNothing() {
        assertThat(FrontMatter.fields("---\n\nNote: a rule above.\n\n---\n")).isEmpty();
        assertThat(FrontMatter.fields("---\nnever: closed\n")).isEmpty();
        assertThat(FrontMatter.fields("Text.\n---\na: b\n---\n")).isEmpty();
        assertThat(FrontMatter.fields("")).isEmpty();
    }

    @Test
    void anEntryIsShownWithoutMarks() {
        assertThat(FrontMatter.shown("tags:\n  - x\n  - y")).isEqualTo("tags: x, y");
        assertThat(FrontMatter.shown("date = 2024-05-06")).isEqualTo("date: 2024-05-06");
        assertThat(FrontMatter.shown("where:\n  city: Rome")).isEqualTo("where: city: Rome");
    }
}
