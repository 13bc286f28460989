/**
 * LoRA adapters: {@link dev.pollux.finetune.adapter.LoraExtraction} makes one of two models, {@link
 * dev.pollux.finetune.adapter.AdapterMerger} one of several.
 */
@NullMarked
package dev.pollux.finetune.adapter;

import org.jspecify.annotations.NullMarked;
