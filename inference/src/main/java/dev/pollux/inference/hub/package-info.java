/** Models by name: those that travel as Maven dependencies, and where Pollux keeps what it unpacks. */
@NullMarked
package dev.pollux.inference.hub;

import org.jspecify.annotations.NullMarked;
