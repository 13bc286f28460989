package dev.pollux.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Where blocks of Markdown are: lines, headings above, lists, quotes, tables and notes around. */
class BlockTest {

    @Test
    void aHeadingEndsThoseOfItsLevelAndBelow() {
        assertThat(blocks("# A\n## B\ntext\n### C\n## D\ntext\n# E\n"))
                .extracting(Block::level, block -> titles(block.path()))
                .containsExactly(
                        tuple(1, "A"),
                        tuple(2, "A > B"),
                        tuple(0, "A > B"),
                        tuple(3, "A > B > C"),
                        tuple(2, "A > D"),
                        tuple(0, "A > D"),
                        tuple(1, "E"));
    }

    @Test
    void aLevelThatIsLeftOutIsNoHeading() {
        assertThat(blocks("### Deep\n# Top\n#### Deeper\ntext\n"))
                .extracting(block -> titles(block.path()))
                .containsExactly("Deep", "Top", "Top > Deeper", "Top > Deeper");
    }

    @Test
    void linesCountFromZeroAndFencesAreLinesOfTheirCode() {
        assertThat(blocks("# A\n\none\ntwo\n\n```sh\nls\n\npwd\n```\nend"))
                .extracting(Block::kind, Block::firstLine, Block::endLine)
                .containsExactly(
                        tuple(Block.Kind.HEADING, 0, 1),
                        tuple(Block.Kind.PARAGRAPH, 2, 4),
                        tuple(Block.Kind.CODE, 5, 10),
                        tuple(Block.Kind.PARAGRAPH, 10, 11));
    }

    @Test
    void eachTableHasANumberThatItsRowsShare() {
        List<Block> blocks = blocks("|a|\n|-|\n|1|\n|2|\n\ntext\n\n|b|\n|-|\n|3|\n");
        assertThat(blocks)
                .extracting(Block::kind, block -> block.place().table())
                .containsExactly(
                        tuple(Block.Kind.TABLE_HEAD, 1),
                        tuple(Block.Kind.TABLE_ROW, 1),
                        tuple(Block.Kind.TABLE_ROW, 1),
                        tuple(Block.Kind.PARAGRAPH, 0),
                        tuple(Block.Kind.TABLE_HEAD, 2),
                        tuple(Block.Kind.TABLE_ROW, 2));
        assertThat(blocks.get(1).place().group())
                .isEqualTo(blocks.get(0).place().group())
                .isNotEqualTo(blocks.get(3).place().group())
                .isNotEqualTo(blocks.get(5).place().group());
    }

    @Test
    void itemsOfAListAreInOneWholeAndKnowWhatIsAroundThem() {
        List<Block> blocks = blocks("1. one\n   - deep\n2. two\n\ntext\n\n- other\n");
        assertThat(blocks)
                .extracting(block ->
                        block.place().items().stream().map(Block.Item::mark).toList())
                .containsExactly(List.of("1."), List.of("1.", "-"), List.of("2."), List.of(), List.of("-"));
        List<Integer> groups =
                blocks.stream().map(block -> block.place().group()).toList();
        assertThat(groups.subList(0, 3)).containsOnly(groups.get(0));
        assertThat(groups.subList(3, 5)).doesNotContain(groups.get(0)).doesNotHaveDuplicates();
        assertThat(blocks.get(1).place().item()).isEqualTo(new Block.Item(2, 0, "-", 1));
        assertThat(blocks.get(3).place().item()).isNull();
    }

    @Test
    void quotesAreCountedAndNotesNamed() {
        assertThat(blocks("> one\n> > two\n\n[^n]: a note\n\ntext\n"))
                .extracting(
                        block -> block.place().quotes(), block -> block.place().note())
                .containsExactly(tuple(1, ""), tuple(2, ""), tuple(0, "n"), tuple(0, ""));
    }

    @Test
    void definitionsKnowThatTheyDefineAndTermsThatTheyAreDefined() {
        assertThat(blocks("Heron\n: A bird.\n: A drone.\n\nText.\n"))
                .extracting(Block::kind, block -> block.place().defines())
                .containsExactly(
                        tuple(Block.Kind.TERM, false),
                        tuple(Block.Kind.PARAGRAPH, true),
                        tuple(Block.Kind.PARAGRAPH, true),
                        tuple(Block.Kind.PARAGRAPH, false));
    }

    @Test
    void everyLineThatHasAWordIsInABlockWhateverTheText() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        List<String> starts = List.of(
                "", "- ", "1. ", "> ", "# ", "## ", "    ", "| ", "|-|-|", "```", "<!-- ", "--> ", "[a]: ", "[^a]: ",
                ": ", "Q: ", "---", "===", "\t", "<div>", "</div>", "<p>", "::: ");
        List<String> words =
                List.of("a", "word", "Why?", "b | c |", "**bold**", "`x`", "<b>", "http://x.y", "&amp;", "");
        for (int run = 0; run < 2_000; run++) {
            StringBuilder made = new StringBuilder();
            for (int line = random.nextInt(14); line >= 0; line--) {
                for (int depth = random.nextInt(3); depth >= 0; depth--) {
                    made.append(starts.get(random.nextInt(starts.size())));
                }
                for (int word = random.nextInt(4); word > 0; word--) {
                    made.append(words.get(random.nextInt(words.size()))).append(' ');
                }
                made.append("end").append(random.nextInt(6) == 0 ? "\r\n" : "\n");
            }
            String text = made.toString();
            String what = "seed " + seed + ", run " + run + ": "
                    + text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t");
            Map<Integer, Integer> tables = new HashMap<>();
            List<Block> blocks = blocks(text);
            int[] owners = new int[text.split("\r\n|\n", -1).length];
            for (Block block : blocks) {
                for (int line = block.firstLine(); line < block.endLine(); line++) {
                    owners[line]++;
                }
                if (block.place().table() > 0) {
                    assertThat(tables.merge(
                                    block.place().table(), block.place().group(), (a, b) -> a.equals(b) ? a : -1))
                            .as(what)
                            .isPositive();
                }
                assertThat(block.path()).as(what).isEqualTo(sorted(block.path()));
            }
            String[] lines = text.split("\r\n|\n", -1);
            for (int line = 0; line < lines.length; line++) {
                if (!lines[line].isEmpty()) { // only after the last line end
                    assertThat(owners[line]).as("line %d of %s", line, what).isPositive();
                }
            }
        }
    }

    /** Headings by level, of which an outer one is always lower. */
    private static List<Block.Heading> sorted(List<Block.Heading> path) {
        List<Block.Heading> sorted = new ArrayList<>(path);
        sorted.sort((a, b) -> Integer.compare(a.level(), b.level()));
        return sorted;
    }

    private static List<Block> blocks(String text) {
        return Reading.ofPart(text, Reading.MARKDOWN).blocks();
    }

    private static String titles(List<Block.Heading> path) {
        return String.join(" > ", path.stream().map(Block.Heading::title).toList());
    }
}
