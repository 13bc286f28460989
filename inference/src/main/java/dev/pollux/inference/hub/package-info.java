/** Models by name: models in Maven dependencies, models of the Hugging Face hub, and the cache folder. */
@NullMarked
package dev.pollux.inference.hub;

import org.jspecify.annotations.NullMarked;
