package dev.pollux.internal.text;

import dev.pollux.internal.text.Block.Kind;

/** Reads plain text: its paragraphs are parted by blank lines and by the marks of questions and answers. */
final class PlainReader {

    private PlainReader() {}

    static Reading read(String text) {
        Lines lines = new Lines(text);
        BlockSink out = new BlockSink(text, lines);
        Containers none = new Containers();
        int first = -1;
        boolean labelled = false; // whether the paragraph begins as a question or an answer
        for (int i = 0; i <= lines.count(); i++) {
            boolean blank = i == lines.count() || lines.line(i).isBlank();
            boolean parts = labelled && !blank && Labels.marks(lines.line(i).strip());
            if (first >= 0 && (blank || parts)) {
                none.leaf();
                out.add(Kind.PARAGRAPH, lines.start(first), lines.end(i - 1), first, i, none.next());
                first = -1;
                labelled = false;
            }
            if (!blank && first < 0) {
                first = i;
                labelled = Labels.marks(lines.line(i).strip());
            }
        }
        return out.reading();
    }
}
