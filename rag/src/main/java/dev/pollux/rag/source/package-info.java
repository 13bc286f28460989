/** Where documents come from. */
@NullMarked
package dev.pollux.rag.source;

import org.jspecify.annotations.NullMarked;
