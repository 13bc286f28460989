package dev.pollux.rag.chunk;

import java.util.ArrayList;
import java.util.List;

/** The paragraphs of a plain text: what stands between blank lines. */
final class PlainBlocks {

    private PlainBlocks() {}

    static List<Block> of(Lines lines) {
        List<Block> blocks = new ArrayList<>();
        int first = -1;
        for (int i = 0; i <= lines.count(); i++) {
            boolean blank = i == lines.count() || lines.line(i).isBlank();
            if (!blank && first < 0) {
                first = i;
            } else if (blank && first >= 0) {
                blocks.add(new Block(Block.Kind.PROSE, lines.start(first), lines.end(i - 1), List.of()));
                first = -1;
            }
        }
        return blocks;
    }
}
