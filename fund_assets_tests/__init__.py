"""Tests; the folders mirror the package and say what kind of test is in them."""
