#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# Mail::DKIM as a peer for dkim.py and arc.py. Usage: dkim_peer.pl ZONE, a file of lines "NAME<TAB>TXT". On standard input:
#   verify FILE                                   prints the result of each signature, separated by spaces
#   arc FILE                                      prints the status of the chain
#   sign FILE ALGORITHM METHOD SELECTOR DOMAIN KEY OUT    writes the signed message to OUT, prints "signed"
use strict;
use warnings;
use Mail::DKIM::Verifier;
use Mail::DKIM::Signer;
use Mail::DKIM::ARC::Verifier;
use Mail::DKIM::PrivateKey;
use Net::DNS;

my %zone;
open my $in, '<', $ARGV[0] or die "$ARGV[0]: $!";
while (<$in>) { chomp; my ($name, $text) = split /\t/, $_, 2; $zone{lc $name} = $text; }
close $in;
{
    no warnings 'redefine';
    *Mail::DKIM::DNS::query = sub {
        my ($name, $type) = @_;
        my $text = $zone{lc $name};
        if (!defined $text) { $@ = 'NXDOMAIN'; return; }
        return Net::DNS::RR->new(name => $name, type => 'TXT', txtdata => [unpack '(a200)*', $text]);
    };
}

sub content {
    my ($path) = @_;
    open my $f, '<:raw', $path or die "$path: $!";
    local $/;
    return scalar <$f>;
}

$| = 1;
while (my $line = <STDIN>) {
    chomp $line;
    my ($verb, $file, @rest) = split / /, $line;
    my $message = content($file);
    my $answer = eval {
        if ($verb eq 'verify') {
            my $dkim = Mail::DKIM::Verifier->new();
            $dkim->PRINT($message);
            $dkim->CLOSE;
            return join ' ', map { $_->result } $dkim->signatures;
        }
        if ($verb eq 'arc') {
            my $arc = Mail::DKIM::ARC::Verifier->new();
            $arc->PRINT($message);
            $arc->CLOSE;
            return $arc->result;
        }
        my ($algorithm, $method, $selector, $domain, $key, $out) = @rest;
        my $dkim = Mail::DKIM::Signer->new(Algorithm => $algorithm, Method => $method, Domain => $domain,
            Selector => $selector, Key => Mail::DKIM::PrivateKey->load(File => $key));
        $dkim->PRINT($message);
        $dkim->CLOSE;
        open my $f, '>:raw', $out or die "$out: $!";
        print $f $dkim->signature->as_string, "\r\n", $message;
        close $f;
        return 'signed';
    };
    $answer = "error $@" unless defined $answer;
    $answer =~ s/\s+/ /g;
    print "$answer\n";
}
