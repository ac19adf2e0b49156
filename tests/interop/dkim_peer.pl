#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# Mail::DKIM as a peer for dkim.py and arc.py. Usage: dkim_peer.pl ZONE, a file of lines "NAME<TAB>TXT". On standard input a
# line, then a message of SIZE bytes:
#   verify SIZE           prints the result of each signature from the top, separated by spaces
#   arc SIZE              prints the status of the chain
#   sign SIZE ALGORITHM HEADER/BODY SELECTOR DOMAIN KEY IDENTITY LIMIT TIME EXPIRY
#                         KEY is a PEM file; "-" leaves i=, l= or x= out; prints "SIZE" and SIZE bytes, a DKIM-Signature
#   seal SIZE SELECTOR DOMAIN KEY ID
#                         prints "SIZE" and SIZE bytes, the three fields of a set
# Any trouble prints "error" and why.
use strict;
use warnings;
use Mail::DKIM::Verifier;
use Mail::DKIM::Signer;
use Mail::DKIM::ARC::Signer;
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

my %keys;

sub key {
    my ($path) = @_;
    return $keys{$path} ||= Mail::DKIM::PrivateKey->load(File => $path);
}

sub verify {
    my ($message) = @_;
    my $dkim = Mail::DKIM::Verifier->new();
    $dkim->PRINT($message);
    $dkim->CLOSE;
    return join ' ', map { $_->result } $dkim->signatures;
}

sub arc {
    my ($message) = @_;
    my $arc = Mail::DKIM::ARC::Verifier->new();
    $arc->PRINT($message);
    $arc->CLOSE;
    return $arc->result;
}

sub sign {
    my ($message, $algorithm, $method, $selector, $domain, $path, $identity, $limit, $time, $expiry) = @_;
    my $policy = sub {
        my ($signer) = @_;
        my $signature = Mail::DKIM::Signature->new(
            Algorithm => $algorithm, Method => $method, Headers => $signer->headers, Domain => $domain,
            Selector => $selector, Key => key($path), Timestamp => $time,
            $identity ne '-' ? (Identity => $identity) : (), $expiry ne '-' ? (Expiration => $expiry) : ());
        $signature->body_count($limit) if $limit ne '-';
        $signer->add_signature($signature);
        return;
    };
    my $dkim = Mail::DKIM::Signer->new(Policy => $policy, Key => key($path));
    $dkim->PRINT($message);
    $dkim->CLOSE;
    return sized($dkim->signature->as_string . "\r\n");
}

sub seal {
    my ($message, $selector, $domain, $path, $id) = @_;
    my $arc = Mail::DKIM::ARC::Signer->new(Algorithm => 'rsa-sha256', Chain => 'ar', Domain => $domain,
        SrvId => $id, Selector => $selector, Key => key($path), Timestamp => time);
    $arc->PRINT($message);
    $arc->CLOSE;
    die $arc->result, ' ', $arc->{details} // '' if $arc->result ne 'sealed';
    return sized(join '', map { "$_\r\n" } $arc->as_strings);
}

sub sized { return length($_[0]) . "\n" . $_[0]; }

my %verbs = (verify => \&verify, arc => \&arc, sign => \&sign, seal => \&seal);
binmode STDIN;
binmode STDOUT;
$| = 1;
while (my $line = <STDIN>) {
    chomp $line;
    my ($verb, $size, @rest) = split / /, $line;
    read(STDIN, my $message, $size) == $size or die 'the message ends early';
    my $answer = eval { $verbs{$verb}->($message, @rest) };
    if (defined $answer) {
        print $answer =~ /\n/ ? $answer : "$answer\n";
    } else {
        print 'error ', $@ =~ s/\s+/ /gr, "\n";
    }
}
