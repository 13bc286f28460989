/** Models by name: those that travel as Maven dependencies, those of the Hugging Face hub, and where they are kept. */
@NullMarked
package dev.pollux.inference.hub;

import org.jspecify.annotations.NullMarked;
