/** The LLM twin: answers from an owner's documents, with evidence and citations. */
@NullMarked
package dev.pollux.twin;

import org.jspecify.annotations.NullMarked;
