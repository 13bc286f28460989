package dev.pollux.inference.template;

/** A place in a template, both numbers from 1; columns count UTF-16 units. <em>Immutable.</em> */
record Position(int line, int column) {

    static final Position START = new Position(1, 1);
}
