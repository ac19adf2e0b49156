#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# Mail::DKIM's ARC signer, as bench/auth.c seals: mail_dkim.pl KEY.pem MESSAGE SECONDS, row each-cpu-second.
use strict;
use warnings;
use Mail::DKIM::ARC::Signer;
use Mail::DKIM::PrivateKey;

my ($key_file, $message_file, $seconds) = @ARGV;
my $key = Mail::DKIM::PrivateKey->load(File => $key_file);
open(my $f, '<:raw', $message_file) or die "$message_file: $!\n";
my $message = do { local $/; <$f> };

sub seal {
    my $signer = Mail::DKIM::ARC::Signer->new(
        Algorithm => 'rsa-sha256', Chain => 'ar', Domain => 'list.test', SrvId => 'list.test', Selector => 's1', Key => $key);
    $signer->PRINT($message);
    $signer->CLOSE;
    my $set = $signer->as_string;
    $set =~ /^ARC-Seal:.*\bb=[^;]{300}/s or die "not sealed: ", $signer->result_detail, "\n";
}

sub spent { my ($user, $system) = times; return $user + $system }

seal();
my ($begin, $count) = (spent(), 0);
while (spent() - $begin < $seconds) {
    seal();
    $count++;
}
printf "row each-cpu-second %.6g\n", $count / (spent() - $begin);
