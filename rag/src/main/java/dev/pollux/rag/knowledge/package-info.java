/** The knowledge base: documents in, passages out. */
@NullMarked
package dev.pollux.rag.knowledge;

import org.jspecify.annotations.NullMarked;
