"""Comparable products, each as its own documentation has one build it, doing the same jobs as Gatehouse in the same run."""
